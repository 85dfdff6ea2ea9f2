-- What energy of each accelerator and machine is whose, and what does it cost?
-- Shares are laid end to end along the device's energy and along its cost, requests first: so they sum to both to the last digit.
-- A kWh costs what the price book says of the account, the site or the region of the device (category energy, unit kwh), times the site's power usage effectiveness (item pue)
-- if that is declared. Where these change within the hour, each holds for what was drawn in its time, and who bears of the device bears the mean.
-- It is told and not priced where the rate of the device has the power in it, unless the tenant's policy says that rates are without.
-- Where there is: work_energy
INSERT INTO accelerator_energy_settled
WITH toInt64(toUnixTimestamp({window:DateTime('UTC')})) AS opens_s,
policy AS (
    SELECT argMax(method, (valid_from, set_at)) AS method FROM policies
    WHERE tenant = {tenant:String} AND subject = 'energy' AND valid_from <= {window:DateTime('UTC')}
),
energy_prices AS (
    SELECT * FROM current_prices
    WHERE category = 'energy' AND (unit = 'kwh' OR item = 'pue') AND tenant IN ('', {tenant:String})
        AND valid_from < {until:DateTime64(9, 'UTC')} AND (isNull(valid_until) OR valid_until > {window:DateTime('UTC')})
),
places AS (
    SELECT host, max(site) AS own_site, max(region) AS own_region, max(account) AS own_account FROM work_spans WHERE settlement = {settlement:UInt64} AND host != '' GROUP BY host
),
devices AS (
    SELECT
        d.device AS device, d.host AS host, d.model AS model, m.nj AS nj, m.nj AS axis_nj, m.nj * toInt256(d.whole) * toInt256(281474976710656) AS everything,
        if(isNotNull(d.amount_usd), 'in the rate of the device', '') AS rated,
        if(m.site != '', m.site, p.own_site) AS site, if(m.region != '', m.region, p.own_region) AS region, p.own_account AS account
    FROM (SELECT * FROM work_devices WHERE settlement = {settlement:UInt64}) AS d
    INNER JOIN (
        SELECT device, toInt256(max(upto_nj)) AS nj, max(e.site) AS site, max(e.region) AS region
        FROM work_energy AS e
        WHERE e.settlement = {settlement:UInt64}
        GROUP BY device
    ) AS m ON d.device = m.device
    LEFT ANY JOIN places AS p ON d.host = p.host
    WHERE m.nj > 0
    UNION ALL
    SELECT
        d.device AS device, d.host AS host, '' AS model, toInt256(d.nj) AS nj, toInt256(d.axis_nj) AS axis_nj, toInt256(d.axis_nj) * toInt256(16777216) AS everything,
        if(d.rated, 'in the rate of the machine', '') AS rated,
        if(d.site != '', d.site, p.own_site) AS site, if(d.region != '', d.region, p.own_region) AS region, p.own_account AS account
    FROM (SELECT * FROM work_machine_parts WHERE settlement = {settlement:UInt64}) AS d
    LEFT ANY JOIN places AS p ON d.host = p.host
    WHERE d.nj > 0
),
-- when prices change within the hour, and what each device took from one change to the next
terms AS (
    SELECT arrayJoin(arrayZip(begins, arrayPushBack(arrayPopFront(begins), toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')})))) AS term, term.1 AS from_ns, term.2 AS upto_ns
    FROM (
        SELECT arrayMap(second -> second * 1000000000, arrayDistinct(arraySort(arrayPushBack(arrayFilter(
            second -> second > opens_s AND second < opens_s + 3600,
            arrayFlatten(groupArray([
                toInt64(toUnixTimestamp(valid_from)), ifNull(toInt64(toUnixTimestamp(valid_until)), 0), day_s + day_from_s, day_s + day_until_s
            ]))
        ), opens_s)))) AS begins
        FROM (
            SELECT
                valid_from, valid_until, toInt64(day_from_s) AS day_from_s, toInt64(day_until_s) AS day_until_s,
                toInt64(toUnixTimestamp(toStartOfDay({window:DateTime('UTC')}))) AS day_s
            FROM energy_prices
        )
    )
),
drawn AS (
    SELECT
        e.device AS device, t.from_ns AS from_ns,
        sum(
            intDiv(toInt256(least(greatest(t.upto_ns, e.at_ns), e.until_ns) - e.at_ns) * (e.upto_nj - e.from_nj), greatest(e.until_ns - e.at_ns, 1))
            - intDiv(toInt256(least(greatest(t.from_ns, e.at_ns), e.until_ns) - e.at_ns) * (e.upto_nj - e.from_nj), greatest(e.until_ns - e.at_ns, 1))
        ) AS drawn_nj
    FROM (SELECT * FROM work_energy WHERE settlement = {settlement:UInt64}) AS e
    CROSS JOIN terms AS t
    GROUP BY e.device, t.from_ns
    HAVING drawn_nj > 0
),
book AS (
    SELECT
        d.device AS device, d.from_ns AS from_ns, b.unit = 'kwh' AS of_energy, argMax(b.amount, chosen) AS each, argMax(b.price_id, chosen) AS price_id,
        argMax(b.version, chosen) AS price_version,
        argMax(x.usd_per_unit, (b.precedence, b.tenant != '', b.account != '', b.region = d.site, b.region != '', b.valid_from, b.added_at) AS chosen) AS usd_per_unit
    FROM (
        SELECT v.device AS device, v.site AS site, v.region AS region, v.account AS account, w.from_ns AS from_ns
        FROM devices AS v
        INNER JOIN drawn AS w ON v.device = w.device
    ) AS d
    INNER JOIN energy_prices AS b ON true
    LEFT ANY JOIN (
        SELECT currency, usd_per_unit FROM daily_exchange_rates WHERE day = toDate({window:DateTime('UTC')})
        UNION ALL
        SELECT 'USD' AS currency, toDecimal128(1, 18) AS usd_per_unit
    ) AS x ON b.currency = x.currency
    WHERE b.region IN ('', d.site, d.region) AND b.account IN ('', d.account)
        AND toInt64(toUnixTimestamp(b.valid_from)) * 1000000000 <= d.from_ns
        AND (isNull(b.valid_until) OR toInt64(toUnixTimestamp(assumeNotNull(b.valid_until))) * 1000000000 > d.from_ns)
        AND intDiv(d.from_ns, 1000000000) % 86400 >= b.day_from_s AND intDiv(d.from_ns, 1000000000) % 86400 < b.day_until_s
    GROUP BY d.device, d.from_ns, of_energy
),
costs AS (
    SELECT
        d.device AS device,
        multiIf(
            countIf(k.device = '') > 0, 'no price of a kWh',
            countIf(isNull(k.usd_per_unit) OR k.usd_per_unit = 0) > 0, 'no exchange rate',
            ''
        ) AS why,
        arrayStringConcat(arrayDistinct(arrayMap(t -> t.2, arraySort(groupArray((w.from_ns, toString(k.price_id)))))), '+') AS price_id,
        argMax(k.price_version, w.from_ns) AS price_version,
        sum(toDecimal128(
            toDecimal256(k.each, 18) * (w.drawn_nj * d.nj) / d.axis_nj / toInt256(3600000000000000) * toDecimal256(ifNull(k.usd_per_unit, 0), 18), 18
        ) AS bare_usd) AS all_bare_usd,
        sum(if(u.device = '', bare_usd, toDecimal128(toDecimal256(bare_usd, 18) * toDecimal256(u.each, 18), 18))) AS usd
    FROM devices AS d
    INNER JOIN drawn AS w ON d.device = w.device
    LEFT ANY JOIN (SELECT * FROM book WHERE of_energy) AS k ON w.device = k.device AND w.from_ns = k.from_ns
    LEFT ANY JOIN (SELECT * FROM book WHERE NOT of_energy) AS u ON w.device = u.device AND w.from_ns = u.from_ns
    GROUP BY d.device
),
valued AS (
    SELECT
        d.device AS device, d.host AS host, d.model AS model, d.nj AS nj, d.everything AS everything,
        if(d.rated != '' AND (SELECT method FROM policy) != 'apart', d.rated, c.why) AS why,
        c.price_id AS price_id,
        c.price_version AS price_version,
        reinterpret(toDecimal256(c.usd, 18), 'Int256') AS usd
    FROM devices AS d
    LEFT ANY JOIN costs AS c ON d.device = c.device
),
told AS (
    SELECT
        substring(h.device, 8) AS device, h.slice AS slice, h.trace_id AS trace_id, h.span_id AS span_id,
        multiIf(h.state = 'active', 1, h.state = 'loading', 3, h.state = 'waiting', 4, 5) AS state,
        sum(toInt256(h.units) * toInt256(w.parts)) AS units
    FROM work_shares AS h
    INNER JOIN (SELECT * FROM work_slices WHERE settlement = {settlement:UInt64}) AS w ON substring(h.device, 8) = w.device AND h.slice = w.slice
    WHERE h.settlement = {settlement:UInt64} AND startsWith(h.device, 'energy:')
    GROUP BY device, slice, trace_id, span_id, state
    UNION ALL
    SELECT device, '' AS slice, trace_id, span_id, 1 AS state, units FROM work_machine_shares WHERE settlement = {settlement:UInt64}
),
parts AS (
    SELECT device, slice, trace_id, span_id, state, told.units AS units FROM told
    UNION ALL
    SELECT
        v.device AS device, '' AS slice, toFixedString('', 16) AS trace_id, toFixedString('', 8) AS span_id, 6 AS state, v.everything - s.units AS units
    FROM valued AS v
    LEFT ANY JOIN (SELECT device, sum(told.units) AS units FROM told GROUP BY device) AS s ON v.device = s.device
),
ends AS (
    SELECT *, sum(units) OVER (PARTITION BY device ORDER BY state, slice, trace_id, span_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
    FROM parts
    WHERE units > 0
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    if(startsWith(e.device, 'cpu:'), concat('cpu:', v.host), toString(e.device)) AS device,
    if(startsWith(e.device, 'cpu:'), splitByChar('\t', toString(e.device))[2], toString(e.slice)) AS slice,
    v.host AS host,
    v.model AS model,
    e.trace_id AS trace_id,
    e.span_id AS span_id,
    e.state AS state,
    toDecimal128(reinterpret(
        intDiv(v.nj * e.upto * 2 + v.everything, v.everything * 2) - intDiv(v.nj * (e.upto - e.units) * 2 + v.everything, v.everything * 2), 'Decimal256(9)'
    ), 9) AS joules,
    if(
        v.why != '', NULL,
        toDecimal128(reinterpret(
            intDiv(v.usd * e.upto * 2 + v.everything, v.everything * 2) - intDiv(v.usd * (e.upto - e.units) * 2 + v.everything, v.everything * 2),
            'Decimal256(18)'
        ), 18)
    ) AS cost_usd,
    v.why AS why,
    v.price_id AS price_id,
    v.price_version AS price_version
FROM ends AS e
INNER JOIN valued AS v ON e.device = v.device
