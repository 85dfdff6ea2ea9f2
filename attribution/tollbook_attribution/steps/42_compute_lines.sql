-- Which ledger lines do machines make? Each span bears the share of its machine that it claims.
-- A share is claim / capacity of what the CPUs cost; where all claims exceed the capacity, claim / all claims. Shares are cut off at the
-- 18th decimal, so that their sum never exceeds the cost.
-- Where the rate of the machine changed within the hour, a share is weighed by what the machine cost while the span ran.
-- Trace by trace.
-- Where there is: hosts
-- Where there is: rates
INSERT INTO work_lines
SELECT
    {settlement:UInt64} AS settlement,
    s.trace_id AS trace_id,
    s.span_id AS span_id,
    s.start_time AS start_time,
    if(s.trace_id = toFixedString('', 16), 'unattributed', 'request') AS allocation,
    'compute' AS category,
    'CPU time' AS item,
    concat('host:', s.host) AS resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    toDecimal128(toDecimal256(e.claim_ns, 9) / toInt256(1000000000), 9) AS quantity,
    's' AS unit,
    amount_usd AS amount,
    'USD' AS currency,
    toDecimal128(
        toDecimal256(assumeNotNull(h.cpu_usd), 18) * if(w.weight = 0, toInt256(e.claim_ns), intDiv(toInt256(e.claim_ns) * w.weight, 1000000000000))
            / toInt256(greatest(assumeNotNull(h.capacity_ns), h.claimed_ns)),
        18
    ) AS amount_usd,
    h.rate_id AS price_id,
    splitByChar('@', toString(h.rate_id))[-1] AS price_version,
    if(e.estimated, 'estimated', 'computed') AS basis,
    multiIf(
        h.claimed_ns > h.capacity_ns, 'share of all claims, which exceed the capacity of the machine',
        e.estimated, 'share of the capacity of the machine, by wall time without children',
        'share of the capacity of the machine, by CPU time without children'
    ) AS method,
    '' AS waste
FROM (SELECT * FROM work_efforts WHERE settlement = {settlement:UInt64} AND claim_ns > 0) AS e
INNER JOIN (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64}) AS s ON e.trace_id = s.trace_id AND e.span_id = s.span_id
INNER JOIN (
    SELECT * FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != ''
) AS h ON s.host = h.host
LEFT ANY JOIN (SELECT trace_id, span_id, weight FROM work_rate_weights WHERE settlement = {settlement:UInt64}) AS w
    ON e.trace_id = w.trace_id AND e.span_id = w.span_id
WHERE h.capacity_ns > 0 OR h.claimed_ns > 0
