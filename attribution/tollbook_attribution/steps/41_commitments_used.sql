-- Who bears what was paid ahead? Each request the share of its use in what the hour pays for, or in all use where that is more.
-- Shares are laid end to end and each end rounded to the 18th decimal; what nobody used is left over by its name.
-- Where there is: work_commitments
INSERT INTO work_lines
WITH ends AS (
    SELECT
        u.commitment_id AS commitment_id, u.trace_id AS trace_id, u.span_id AS span_id, u.start_time AS start_time, u.used AS used,
        reinterpret(toDecimal256(u.used, 9), 'Int256') AS own,
        sum(own) OVER (PARTITION BY u.commitment_id ORDER BY u.trace_id, u.span_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto,
        sum(own) OVER (PARTITION BY u.commitment_id) AS total
    FROM work_committed AS u
    WHERE u.settlement = {settlement:UInt64} AND u.used > 0
),
shares AS (
    SELECT
        e.commitment_id AS commitment_id, e.trace_id AS trace_id, e.span_id AS span_id, e.start_time AS start_time, e.used AS used,
        c.unit AS unit, c.version AS version, c.capacity AS capacity,
        reinterpret(toDecimal256(c.amount_usd, 18), 'Int256') AS usd,
        greatest(reinterpret(toDecimal256(c.capacity, 9), 'Int256'), e.total) AS everything,
        intDiv(usd * e.upto * 2 + everything, everything * 2) - intDiv(usd * (e.upto - e.own) * 2 + everything, everything * 2) AS share
    FROM ends AS e
    INNER JOIN (SELECT * FROM work_commitments WHERE settlement = {settlement:UInt64}) AS c ON e.commitment_id = c.commitment_id
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    start_time,
    if(trace_id = toFixedString('', 16), 'unattributed', 'request') AS allocation,
    multiIf(unit IN ('token', 'call'), 'tokens', 'third_party') AS category,
    'commitment' AS item,
    concat('commitment:', commitment_id) AS resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    used AS quantity,
    unit,
    toDecimal128(reinterpret(share, 'Decimal256(18)'), 18) AS amount,
    'USD' AS currency,
    amount AS amount_usd,
    commitment_id AS price_id,
    version AS price_version,
    'computed' AS basis,
    if(capacity > 0, 'share of what was paid ahead, by use of what it pays for', 'share of what was paid ahead, by use in the hour') AS method,
    '' AS waste
FROM shares;

INSERT INTO work_left
SELECT
    {settlement:UInt64} AS settlement,
    multiIf(c.unit IN ('token', 'call'), 'tokens', c.unit IN ('request', 'seat', 'use'), 'third_party', 'shared') AS category,
    concat('commitment:', c.commitment_id) AS resource,
    '' AS node,
    '' AS cluster,
    if(c.unit = '', 'fixed fee', 'unused commitment') AS item,
    if(c.unit = '', 'shared', 'idle') AS allocation,
    toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
    greatest(c.capacity - u.used, toDecimal128(0, 9)) AS quantity,
    c.unit AS unit,
    c.amount_usd - u.usd AS amount_usd,
    c.commitment_id AS price_id,
    c.version AS price_version,
    'computed' AS basis,
    if(c.unit = '', 'what was paid for the period, spread over its time', 'what was paid ahead and nobody used') AS method
FROM (SELECT * FROM work_commitments WHERE settlement = {settlement:UInt64} AND unit NOT IN ('host_hour', 'gpu_hour', 'usd')) AS c
LEFT ANY JOIN (
    SELECT price_id, sum(work_lines.quantity) AS used, sum(work_lines.amount_usd) AS usd
    FROM work_lines
    WHERE settlement = {settlement:UInt64} AND item = 'commitment'
    GROUP BY price_id
) AS u ON c.commitment_id = u.price_id;

INSERT INTO work_resources
SELECT
    {settlement:UInt64} AS settlement,
    multiIf(unit IN ('token', 'call'), 'tokens', unit IN ('request', 'seat', 'use'), 'third_party', 'shared') AS category,
    concat('commitment:', commitment_id) AS resource,
    capacity AS quantity,
    unit,
    amount_usd,
    commitment_id AS price_id,
    version AS price_version,
    'computed' AS basis
FROM work_commitments
WHERE settlement = {settlement:UInt64} AND unit NOT IN ('host_hour', 'gpu_hour', 'usd')
