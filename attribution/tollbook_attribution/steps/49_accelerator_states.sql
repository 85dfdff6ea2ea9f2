-- What did each device do all that time, and what did that cost? States are laid end to end behind the requests' shares.
-- An hour of a device has up to 2^145 units: two such numbers are multiplied only after one is cut to its upper bits.
-- Unallocated: nobody had the slice. Unclaimed: samples say that it was busy beyond what spans tell, at the expense of 'no requests', then of 'unallocated'.
-- Where there is: work_held_spans, work_device_samples, work_energy
INSERT INTO accelerator_states_settled
WITH devices AS (
    SELECT
        device, host, model, isNotNull(amount_usd) AS priced, whole,
        toInt256(until_ns - since_ns) * toInt256(281474976710656) AS time,
        time * toInt256(whole) AS everything,
        intDiv(toInt256(until_ns - since_ns) * toInt256(least(whole, 28000000000000000)), toInt256(28000000000000000)) AS device_ns,
        reinterpret(toDecimal256(ifNull(amount_usd, toDecimal128(0, 18)), 18), 'Int256') AS usd,
        busy_ratio
    FROM work_devices
    WHERE settlement = {settlement:UInt64} AND until_ns > since_ns
),
slices AS (
    SELECT w.device AS device, w.slice AS slice, toInt256(w.parts) AS parts
    FROM work_slices AS w
    WHERE w.settlement = {settlement:UInt64}
),
told AS (
    SELECT device, slice, state, subject, sum(toInt256(work_shares.units)) AS units
    FROM work_shares
    WHERE settlement = {settlement:UInt64}
    GROUP BY device, slice, state, subject
),
known AS (
    SELECT t.device AS device, t.slice AS slice, t.state AS state, t.subject AS subject, t.units * w.parts AS units
    FROM told AS t
    INNER JOIN slices AS w ON t.device = w.device AND t.slice = w.slice
),
sums AS (
    SELECT
        device,
        sum(known.units) AS units,
        sumIf(known.units, state = 'held') AS held,
        sumIf(known.units, state IN ('active', 'loading')) AS used
    FROM known
    GROUP BY device
),
beyond AS (
    SELECT
        d.device AS device,
        greatest(intDiv(toInt256(round(ifNull(d.busy_ratio, 0) * 1000000000)) * d.everything, toInt256(1000000000)) - s.used, 0) AS unclaimed,
        least(s.held, unclaimed) AS of_held,
        least(d.everything - s.units, unclaimed - of_held) AS of_unallocated
    FROM devices AS d
    LEFT ANY JOIN sums AS s ON d.device = s.device
),
states AS (
    SELECT k.device AS device, k.slice AS slice, k.subject AS subject,
        multiIf(k.state = 'active', 1, k.state = 'loading', 3, k.state = 'waiting', 4, 5) AS state,
        if(k.state = 'held', k.units - intDiv(intDiv(b.of_held, 18446744073709551616) * k.units, greatest(intDiv(s.held, 18446744073709551616), 1)), k.units) AS units
    FROM known AS k
    INNER JOIN sums AS s ON k.device = s.device
    INNER JOIN beyond AS b ON k.device = b.device
    UNION ALL
    SELECT k.device AS device, k.slice AS slice, '' AS subject, 2 AS state,
        intDiv(intDiv(b.of_held, 18446744073709551616) * k.units, greatest(intDiv(s.held, 18446744073709551616), 1)) AS units
    FROM known AS k
    INNER JOIN sums AS s ON k.device = s.device
    INNER JOIN beyond AS b ON k.device = b.device
    WHERE k.state = 'held'
    UNION ALL
    SELECT d.device AS device, '' AS slice, '' AS subject, part.1 AS state, part.2 AS units
    FROM devices AS d
    LEFT ANY JOIN sums AS s ON d.device = s.device
    LEFT ANY JOIN beyond AS b ON d.device = b.device
    ARRAY JOIN [(2, b.of_unallocated), (6, d.everything - s.units - b.of_unallocated)] AS part
),
ends AS (
    SELECT *, sum(units) OVER (PARTITION BY device ORDER BY state, slice, subject ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
    FROM (SELECT device, slice, subject, state, sum(states.units) AS units FROM states GROUP BY device, slice, subject, state)
    WHERE units > 0
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    e.device AS device,
    e.slice AS slice,
    d.host AS host,
    d.model AS model,
    e.state AS state,
    e.subject AS subject,
    toDecimal128(reinterpret(
        intDiv(d.device_ns * e.upto * 2 + d.everything, d.everything * 2) - intDiv(d.device_ns * (e.upto - e.units) * 2 + d.everything, d.everything * 2),
        'Decimal256(9)'
    ), 9) AS device_seconds,
    if(
        d.priced,
        toDecimal128(reinterpret(
            intDiv(d.usd * e.upto * 2 + d.everything, d.everything * 2) - intDiv(d.usd * (e.upto - e.units) * 2 + d.everything, d.everything * 2),
            'Decimal256(18)'
        ), 18),
        NULL
    ) AS cost_usd
FROM ends AS e
INNER JOIN devices AS d ON e.device = d.device
WHERE device_seconds > 0 OR cost_usd > 0
