-- Which requests bear how much of each pool? In proportion to what they bear of its machines already, in money or ('by-use') in time.
-- Where there is: work_pools
INSERT INTO work_bearers
WITH pools AS (
    SELECT category, pool, any(method) AS method, max(upto_units) AS money FROM work_pools
    WHERE settlement = {settlement:UInt64}
    GROUP BY category, pool
),
places AS (
    SELECT concat('host:', host) AS resource, host AS node, cluster FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
    UNION ALL
    SELECT concat('accelerator:', device) AS resource, host AS node, cluster FROM work_devices WHERE settlement = {settlement:UInt64}
),
weighed AS (
    SELECT
        l.category AS category, l.trace_id AS trace_id, l.span_id AS span_id, l.start_time AS start_time, l.unit AS unit,
        a.node AS node, a.cluster AS cluster,
        reinterpret(toDecimal256(l.amount_usd, 18), 'Int256') AS by_money,
        reinterpret(toDecimal256(l.quantity, 9), 'Int256') AS by_time
    FROM work_lines AS l
    INNER JOIN places AS a ON l.resource = a.resource
    WHERE l.settlement = {settlement:UInt64} AND l.category IN ('compute', 'accelerator', 'energy') AND l.allocation = 'request'
        AND l.category IN (SELECT category FROM pools)
),
own AS (
    SELECT
        w.category AS category, p.pool AS pool, p.money AS money, w.trace_id AS trace_id, w.span_id AS span_id, min(w.start_time) AS start_time,
        sum(if(p.method = 'by-use', w.by_time, w.by_money)) AS weight
    FROM weighed AS w
    INNER JOIN pools AS p ON w.category = p.category
    WHERE p.pool = concat(w.unit, ' ', multiIf(p.method = 'by-node', concat('of ', w.node), p.method = 'by-cluster', concat('in ', w.cluster), ''))
    GROUP BY w.category, p.pool, p.money, w.trace_id, w.span_id
    HAVING weight > 0
    UNION ALL
    SELECT
        'shared' AS category, p.pool AS pool, p.money AS money, l.trace_id AS trace_id, l.span_id AS span_id, min(l.start_time) AS start_time,
        sum(reinterpret(toDecimal256(l.amount_usd, 18), 'Int256')) AS weight
    FROM (
        SELECT trace_id, span_id, start_time, amount_usd FROM work_lines WHERE settlement = {settlement:UInt64} AND allocation = 'request'
        UNION ALL
        SELECT trace_id, span_id, start_time, amount_usd FROM work_token_lines(settlement = {settlement:UInt64}) WHERE allocation = 'request'
    ) AS l
    INNER JOIN pools AS p ON p.category = 'shared' AND p.method != 'by-use'
    WHERE l.amount_usd > 0
    GROUP BY p.pool, p.money, l.trace_id, l.span_id
    UNION ALL
    SELECT
        'shared' AS category, p.pool AS pool, p.money AS money, s.trace_id AS trace_id, s.span_id AS span_id, s.start_time AS start_time,
        toInt256(least(s.duration_ns, toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) - toUnixTimestamp64Nano(s.start_time))) AS weight
    FROM work_spans AS s
    INNER JOIN pools AS p ON p.category = 'shared' AND p.method = 'by-use'
    WHERE s.settlement = {settlement:UInt64} AND s.parent_span_id = toFixedString('', 8) AND s.trace_id != toFixedString('', 16) AND s.duration_ns > 0
),
totals AS (
    SELECT category, pool, sum(weight) AS weight FROM own GROUP BY category, pool
)
SELECT
    {settlement:UInt64} AS settlement,
    o.category AS category,
    o.pool AS pool,
    o.trace_id AS trace_id,
    o.span_id AS span_id,
    o.start_time AS start_time,
    toInt128(intDiv(toInt256(o.money) * (o.upto - o.weight) * 2 + t.weight, t.weight * 2)) AS from_units,
    toInt128(intDiv(toInt256(o.money) * o.upto * 2 + t.weight, t.weight * 2)) AS upto_units
FROM (
    SELECT
        *,
        sum(weight) OVER (PARTITION BY category, pool ORDER BY trace_id, span_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
    FROM own
) AS o
INNER JOIN totals AS t ON o.category = t.category AND o.pool = t.pool
WHERE from_units < upto_units;

-- The same money is laid out twice, by resource and by request: each bears of each resource what falls on the same stretch.
INSERT INTO work_lines
WITH stretches AS (
    SELECT
        b.category AS category, b.pool AS pool, b.trace_id AS trace_id, b.span_id AS span_id, b.start_time AS start_time,
        b.from_units AS from_units, b.upto_units AS upto_units,
        f.place AS first_place
    FROM (SELECT * FROM work_bearers WHERE settlement = {settlement:UInt64}) AS b
    ASOF INNER JOIN (SELECT category, pool, place, upto_units FROM work_pools WHERE settlement = {settlement:UInt64}) AS f
        ON b.category = f.category AND b.pool = f.pool AND b.from_units < f.upto_units
),
met AS (
    SELECT
        s.category AS category, s.pool AS pool, s.trace_id AS trace_id, s.span_id AS span_id, s.start_time AS start_time,
        s.from_units AS from_units, s.upto_units AS upto_units,
        arrayJoin(range(s.first_place, l.place + 1)) AS place
    FROM stretches AS s
    ASOF INNER JOIN (SELECT category, pool, place, upto_units FROM work_pools WHERE settlement = {settlement:UInt64}) AS l
        ON s.category = l.category AND s.pool = l.pool AND s.upto_units <= l.upto_units
)
SELECT
    {settlement:UInt64} AS settlement,
    m.trace_id AS trace_id,
    m.span_id AS span_id,
    m.start_time AS start_time,
    'request' AS allocation,
    m.category AS category,
    concat('share of ', p.item) AS item,
    p.resource AS resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    toDecimal128(reinterpret(
        intDiv(p.quantity_units * (least(toInt256(m.upto_units), p.last_unit) - p.first_unit), p.last_unit - p.first_unit)
        - intDiv(p.quantity_units * (greatest(toInt256(m.from_units), p.first_unit) - p.first_unit), p.last_unit - p.first_unit),
        'Decimal256(9)'
    ), 9) AS quantity,
    p.unit AS unit,
    toDecimal128(reinterpret(least(toInt256(m.upto_units), p.last_unit) - greatest(toInt256(m.from_units), p.first_unit), 'Decimal256(18)'), 18) AS amount,
    'USD' AS currency,
    amount AS amount_usd,
    p.price_id AS price_id,
    p.price_version AS price_version,
    p.basis AS basis,
    multiIf(
        p.category = 'shared' AND p.method = 'by-use', 'shared by use: borne by how long each request took',
        p.category = 'shared', concat('shared ', replaceOne(toString(p.method), '-', ' '), ': borne by what each request cost'),
        p.method = 'by-node', 'idle by node: borne by what each request cost on the machine',
        p.method = 'by-cluster', 'idle by cluster: borne by what each request cost in the cluster',
        'idle by use: borne by the time that each request used'
    ) AS method,
    '' AS waste
FROM (
    SELECT
        *,
        toInt256(work_pools.from_units) AS first_unit, toInt256(work_pools.upto_units) AS last_unit,
        reinterpret(toDecimal256(quantity, 9), 'Int256') AS quantity_units
    FROM work_pools
    WHERE settlement = {settlement:UInt64}
) AS p
INNER JOIN met AS m ON m.category = p.category AND m.pool = p.pool AND m.place = p.place
