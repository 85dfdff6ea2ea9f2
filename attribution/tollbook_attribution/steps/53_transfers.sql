-- What did each flow of bytes cost?
-- Rates come from the price book: own prices before lists, those of the tenant, account, region and provider before those of all. A flow that
-- crosses into another tier of the month makes two lines. A flow is priced whole or not at all. A discount comes off lists' rates only.
-- Where there is: work_flows
-- Trace by trace.
INSERT INTO work_transfers
WITH
    (
        SELECT arrayReverseSort(d -> d.1, groupArray((
            (item != '', model != '', account != '', provider != '', category != '', tenant != '', valid_from, discount_id),
            toString(provider), model, toString(item), toString(account), toUnixTimestamp(valid_from),
            if(isNull(valid_until), toUInt32(4294967295), toUnixTimestamp(assumeNotNull(valid_until))),
            toDecimal256(100 - percent, 11) / 100,
            concat(', less ', toString(percent), ' % (', discount_id, ')')
        )))
        FROM current_discounts
        WHERE tenant IN ('', {tenant:String}) AND category IN ('', 'transfer') AND percent != 0
    ) AS discounts,
    keys AS (
        SELECT provider AS cloud, account, region, item AS class
        FROM transfer_volumes_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
    ),
    boxes AS (
        SELECT
            k.cloud AS box_cloud, k.account AS box_account, k.region AS box_region, k.class AS box_class,
            groupArrayIf((
                toInt64(toUInt8(p.precedence)) * 16 + (p.tenant != '') * 8 + (p.account != '') * 4 + (p.region != '') * 2 + (p.provider != ''),
                if(p.precedence = 'own', 0, toUnixTimestamp(p.retrieved_at)),
                toUnixTimestamp(p.valid_from), toUnixTimestamp(ifNull(p.valid_until, toDateTime('2106-02-07 06:28:15', 'UTC'))),
                toInt256(p.min_quantity) * unit_bytes, toInt256(p.max_quantity) * unit_bytes,
                unit_bytes, p.amount, p.currency, p.price_id, p.version, p.unit, lower(p.model)
            ), p.unit_bytes > 0) AS prices
        FROM keys AS k
        LEFT JOIN (
            SELECT *, transform(
                unit, ['byte', 'kb', 'kib', 'mb', 'mib', 'gb', 'gib', 'tb', 'tib'],
                [1, 1000, 1024, 1000000, 1048576, 1000000000, 1073741824, 1000000000000, 1099511627776]::Array(Int64), 0::Int64
            )::Int256 AS unit_bytes
            FROM current_prices
            WHERE category = 'transfer' AND tenant IN ('', {tenant:String}) AND NOT batch AND variant = '' AND service_tier = ''
                AND day_from_s = 0 AND day_until_s = 86400
        ) AS p ON k.class = p.item
        WHERE (p.provider = '' OR lower(p.provider) = k.cloud) AND (p.region = '' OR p.region = k.region) AND (p.account = '' OR p.account = k.account)
        GROUP BY k.cloud, k.account, k.region, k.class
    ),
    rates AS (
        SELECT currency, day, usd_per_unit FROM daily_exchange_rates
        WHERE day IN (toDate({window:DateTime('UTC')}), toDate({window:DateTime('UTC')}) + 1)
    ),
    ordered AS (
        SELECT
            f.*,
            t.sent_before AS sent_before,
            sent_before + f.bytes AS sent_until,
            toUnixTimestamp(least(f.start_time, toDateTime64('2106-02-07 05:59:59', 9, 'UTC'))) AS second,
            arrayFilter(p -> p.3 <= second AND second < p.4, prices) AS in_force,
            arrayMax(p -> p.1, in_force) AS rank,
            arrayMax(p -> if(p.1 = rank, p.2, 0), in_force) AS said_at,
            arraySort(p -> p.5, arrayFilter(p -> p.1 = rank AND p.2 = said_at AND p.5 < sent_until AND sent_before < p.6, in_force)) AS tiers,
            arrayFirst(
                d -> d.2 IN ('', f.cloud) AND d.3 IN ('', tiers[1].13) AND d.4 IN ('', f.class) AND d.5 IN ('', f.account) AND d.6 <= second AND second < d.7,
                if(rank >= 48, [], discounts)
            ) AS less
        FROM work_flows AS f
        LEFT ANY JOIN (
            SELECT trace_id AS sent_trace_id, span_id AS sent_span_id, way AS sent_way, class AS sent_class, sent_before FROM work_tier_places WHERE settlement = {settlement:UInt64}
        ) AS t ON f.trace_id = sent_trace_id AND f.span_id = sent_span_id AND f.way = sent_way AND f.class = sent_class
        LEFT ANY JOIN boxes ON f.cloud = box_cloud AND f.account = box_account AND f.region = box_region AND f.class = box_class
        WHERE f.settlement = {settlement:UInt64}
    ),
    converted AS (
        SELECT
            o.*,
            if(empty(o.tiers) OR o.tiers[1].9 = 'USD', toDecimal128(1, 18), r.usd_per_unit) AS usd_per_unit,
            arrayMap(p -> toInt256(least(p.6, sent_until) - greatest(p.5, sent_before)), o.tiers) AS parts
        FROM ordered AS o
        LEFT ANY JOIN rates AS r ON o.tiers[1].9 = r.currency AND toDate(o.start_time) = r.day
    )
SELECT
    {settlement:UInt64} AS settlement,
    trace_id, span_id, start_time, class, reason, declared, bytes, cloud, account, region, source, destination,
    multiIf(
        class = 'unknown' AND startsWith(reason, 'its size'), reason,
        class = 'unknown', concat('not known which boundary it crosses: ', reason),
        empty(tiers), concat('no price for ', class, ' of ', if(cloud = '', 'an unknown provider', cloud), if(region = '', '', concat(' in ', region))),
        arraySum(parts) != bytes, concat('several prices or none hold for a part of ', class, ' of ', cloud),
        usd_per_unit = 0 OR arrayUniq(arrayMap(p -> p.9, tiers)) > 1, concat('no exchange rate for ', tiers[1].9, ' on ', toString(toDate(start_time))),
        ''
    ) AS unpriced,
    if(unpriced != '', [], arrayMap(
        (p, part) -> (
            toDecimal128(toDecimal256(part, 9) / p.7, 9),
            p.12,
            toDecimal128(toDecimal256(p.8, 18) * part * if(less.9 = '', toDecimal256(1, 11), less.8) / p.7, 18) AS cost,
            p.9,
            if(p.9 = 'USD', cost, toDecimal128(toDecimal256(cost, 18) * toDecimal256(usd_per_unit, 18), 18)),
            p.10, p.11
        ),
        tiers, parts
    )) AS lines,
    less.9 AS discount
FROM converted
SETTINGS short_circuit_function_evaluation = 'disable';

INSERT INTO work_lines
SELECT
    {settlement:UInt64} AS settlement,
    t.trace_id AS trace_id,
    t.span_id AS span_id,
    any(t.start_time) AS start_time,
    'request' AS allocation,
    'transfer' AS category,
    t.class AS item,
    concat('transfer:', t.cloud, '/', t.region, '/', t.class) AS resource,
    t.cloud AS provider,
    t.account AS account,
    '' AS model,
    sum(line.quantity) AS quantity,
    line.unit AS unit,
    sum(line.amount) AS amount,
    line.currency AS currency,
    sum(line.amount_usd) AS amount_usd,
    line.price_id AS price_id,
    line.price_version AS price_version,
    if(max(endsWith(t.reason, 'an upper bound')), 'estimated', 'computed') AS basis,
    concat('bytes by class of network, ', min(t.reason), min(t.discount)) AS method,
    '' AS waste
FROM (SELECT * FROM work_transfers WHERE settlement = {settlement:UInt64}) AS t
ARRAY JOIN t.lines AS line
GROUP BY t.trace_id, t.span_id, t.class, t.cloud, t.region, t.account, line.unit, line.currency, line.price_id, line.price_version;

INSERT INTO transfers_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    t.trace_id AS trace_id, t.span_id AS span_id, t.start_time AS start_time, t.class AS class, t.reason AS reason, t.declared AS declared,
    t.bytes AS bytes, t.source AS source, t.destination AS destination, t.cloud AS provider, t.account AS account, t.region AS region,
    t.unpriced AS unpriced,
    if(t.unpriced = '', arrayFold((amount, line) -> amount + line.amount_usd, t.lines, toDecimal128(0, 18)), NULL) AS cost_usd,
    s.service_name AS service_name, s.workflow AS workflow, s.team AS team, s.project AS project, s.feature AS feature, s.customer AS customer,
    s.environment AS environment
FROM (SELECT * FROM work_transfers WHERE settlement = {settlement:UInt64}) AS t
LEFT ANY JOIN (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64}) AS s ON t.trace_id = s.trace_id AND t.span_id = s.span_id
