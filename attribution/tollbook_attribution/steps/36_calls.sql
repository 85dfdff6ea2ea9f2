-- Which model calls were there, what role does each span play, and what did the counted ones cost?
-- Trace by trace.
INSERT INTO calls_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    w.trace_id AS trace_id,
    w.span_id AS span_id,
    s.start_time AS start_time,
    s.duration_ns AS duration_ns,
    s.provider AS provider,
    s.request_model AS model,
    s.response_model AS response_model,
    s.operation AS operation,
    w.fresh_tokens AS input_tokens,
    w.cache_read_tokens AS cache_read_tokens,
    w.cache_write_tokens AS cache_write_tokens,
    w.output_tokens AS output_tokens,
    w.reasoning_tokens AS reasoning_tokens,
    s.service_tier AS service_tier,
    multiIf(a.role = 'rollup', 'rollup', a.role = 'twin', 'twin', 'counted') AS role,
    if(role = 'counted', p.price_status, if(w.has_usage, 'priced', 'no_tokens')) AS price_status,
    multiIf(
        role = 'counted', p.reason,
        role = 'rollup', 'sums up or wraps calls that count themselves',
        'another span tells of the same call'
    ) AS reason,
    if(role = 'counted' AND price_status = 'priced', arrayFold((amount, line) -> amount + line.amount_usd, p.lines, toDecimal128(0, 18)), NULL) AS cost_usd,
    p.price_provider AS price_provider,
    p.price_model AS price_model,
    s.location AS location,
    s.service_name AS service_name,
    s.workflow AS workflow,
    s.team AS team,
    s.project AS project,
    s.feature AS feature,
    s.customer AS customer,
    s.environment AS environment,
    s.simulated AS simulated
FROM (SELECT * FROM work_calls WHERE settlement = {settlement:UInt64}) AS w
INNER JOIN (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64}) AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
LEFT ANY JOIN (SELECT * FROM work_told_again WHERE settlement = {settlement:UInt64}) AS a ON w.trace_id = a.trace_id AND w.span_id = a.span_id
LEFT ANY JOIN (SELECT * FROM work_priced WHERE settlement = {settlement:UInt64}) AS p ON w.trace_id = p.trace_id AND w.span_id = p.span_id
