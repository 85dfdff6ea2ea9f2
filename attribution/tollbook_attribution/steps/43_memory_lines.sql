-- Which ledger lines does memory make? While a process works on something, its spans bear its memory in proportion to their own wall time.
-- A share is memory x time of the machine's memory x time, or of all claims where they exceed it. Where no process of a machine reports
-- its memory, a span bears as much of the memory as of the CPUs: an estimate.
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
    'memory time' AS item,
    concat('host:', s.host) AS resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    if(
        h.told,
        toDecimal128(toDecimal256(toInt256(m.bytes) * m.spans_ns * e.self_ns, 9) / toInt256(greatest(m.self_ns, 1)) / toInt256(1073741824000000000), 9),
        toDecimal128(
            toDecimal256(assumeNotNull(h.memory_gib), 9) * toInt256(h.observed_ns) * toInt256(e.claim_ns) / h.cpu_capacity / toInt256(1000000000), 9
        )
    ) AS quantity,
    'gib_s' AS unit,
    amount_usd AS amount,
    'USD' AS currency,
    if(
        h.told,
        toDecimal128(
            toDecimal256(h.usd, 18) * toInt256(m.bytes) * toInt256(m.spans_ns) * toInt256(e.self_ns) / (toInt256(greatest(m.self_ns, 1)) * h.byte_ns), 18
        ),
        toDecimal128(
            toDecimal256(h.usd, 18) * if(w.weight = 0, toInt256(e.claim_ns), intDiv(toInt256(e.claim_ns) * w.weight, 1000000000000)) / h.cpu_capacity, 18
        )
    ) AS amount_usd,
    h.rate_id AS price_id,
    splitByChar('@', toString(h.rate_id))[-1] AS price_version,
    if(h.told, 'computed', 'estimated') AS basis,
    if(
        h.told, 'share of the memory of the machine, by memory of the process and wall time without children',
        'share of the memory of the machine as of its CPUs, as no process reports its memory'
    ) AS method,
    '' AS waste
FROM (SELECT * FROM work_efforts WHERE settlement = {settlement:UInt64}) AS e
INNER JOIN (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64}) AS s ON e.trace_id = s.trace_id AND e.span_id = s.span_id
INNER JOIN (
    SELECT
        host, rate_id, memory_gib, observed_ns,
        isNotNull(memory_used_gib_s) AS told,
        assumeNotNull(memory_usd) AS usd,
        greatest(toInt256(assumeNotNull(capacity_ns)), toInt256(claimed_ns), 1) AS cpu_capacity,
        greatest(
            toInt256(toDecimal256(ifNull(memory_gib, 0), 3) * toInt256(1073741824)) * toInt256(observed_ns),
            toInt256(toDecimal256(ifNull(memory_claimed_gib_s, 0), 9) * toInt256(1073741824000000000)), 1
        ) AS byte_ns
    FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != '' AND memory_usd > 0
) AS h ON s.host = h.host
LEFT ANY JOIN (SELECT * FROM work_process_memory WHERE settlement = {settlement:UInt64}) AS m ON s.process = m.process
LEFT ANY JOIN (SELECT trace_id, span_id, weight FROM work_rate_weights WHERE settlement = {settlement:UInt64}) AS w
    ON e.trace_id = w.trace_id AND e.span_id = w.span_id
WHERE if(h.told, m.bytes > 0 AND e.self_ns > 0, e.claim_ns > 0)
