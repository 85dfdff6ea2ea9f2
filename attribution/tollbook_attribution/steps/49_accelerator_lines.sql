-- Which ledger lines do accelerators make? Each span bears its share of the device's cost.
-- Shares are laid end to end along the cost, and each end is rounded to the 18th decimal: so they sum to the device to the last digit.
-- Where there is: work_shares
INSERT INTO work_lines
WITH ends AS (
    SELECT
        h.device AS device, h.trace_id AS trace_id, h.span_id AS span_id, w.why AS why,
        toInt256(h.units) * toInt256(w.parts) AS own,
        sum(own) OVER (PARTITION BY h.device ORDER BY h.slice, h.trace_id, h.span_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
    FROM work_shares AS h
    INNER JOIN work_slices AS w ON h.device = w.device AND h.slice = w.slice
    WHERE h.settlement = {settlement:UInt64} AND w.settlement = {settlement:UInt64} AND h.state = 'active'
),
measured AS (
    SELECT
        device, currency, price_id, price_version, discount,
        toInt256(until_ns - since_ns) * toInt256(whole) * toInt256(281474976710656) AS everything,
        intDiv(toInt256(until_ns - since_ns) * toInt256(least(whole, 28000000000000000)), toInt256(28000000000000000)) AS device_ns,
        reinterpret(toDecimal256(assumeNotNull(amount_usd), 18), 'Int256') AS usd,
        reinterpret(toDecimal256(assumeNotNull(amount), 18), 'Int256') AS original
    FROM work_devices
    WHERE settlement = {settlement:UInt64} AND isNotNull(amount_usd) AND until_ns > since_ns
),
shares AS (
    SELECT
        e.device AS device, e.trace_id AS trace_id, e.span_id AS span_id, e.why AS why, d.currency AS currency, d.price_id AS price_id, d.price_version AS price_version,
        d.discount AS discount,
        intDiv(d.usd * e.upto * 2 + d.everything, d.everything * 2) - intDiv(d.usd * (e.upto - e.own) * 2 + d.everything, d.everything * 2) AS usd,
        intDiv(d.original * e.upto * 2 + d.everything, d.everything * 2)
        - intDiv(d.original * (e.upto - e.own) * 2 + d.everything, d.everything * 2) AS original,
        intDiv(d.device_ns * e.upto * 2 + d.everything, d.everything * 2)
        - intDiv(d.device_ns * (e.upto - e.own) * 2 + d.everything, d.everything * 2) AS ns
    FROM ends AS e
    INNER JOIN measured AS d ON e.device = d.device
)
SELECT
    {settlement:UInt64} AS settlement,
    h.trace_id AS trace_id,
    h.span_id AS span_id,
    s.start_time AS start_time,
    if(h.trace_id = toFixedString('', 16), 'unattributed', 'request') AS allocation,
    'accelerator' AS category,
    'accelerator time' AS item,
    concat('accelerator:', h.device) AS resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    toDecimal128(reinterpret(h.ns, 'Decimal256(9)'), 9) AS quantity,
    's' AS unit,
    toDecimal128(reinterpret(h.original, 'Decimal256(18)'), 18) AS amount,
    h.currency AS currency,
    toDecimal128(reinterpret(h.usd, 'Decimal256(18)'), 18) AS amount_usd,
    h.price_id AS price_id,
    h.price_version AS price_version,
    'computed' AS basis,
    concat(h.why, h.discount) AS method,
    '' AS waste
FROM shares AS h
INNER JOIN (SELECT trace_id, span_id, start_time FROM work_spans WHERE settlement = {settlement:UInt64} AND accelerator_id != '') AS s
    ON h.trace_id = s.trace_id AND h.span_id = s.span_id
