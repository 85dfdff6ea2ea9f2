-- Which model calls were there, what role does each span play, and what did the counted ones cost?
-- What befell a call (told again, beyond what calls below it tell, tried again) is joined in one: each table joined by itself took 2 % of an hour's CPU,
-- and most hold hardly anything.
-- Trace by trace.
-- Where there is: work_calls, work_merged
INSERT INTO calls_settled (
    window, tenant, settlement, trace_id, span_id, start_time, duration_ns, provider, model, response_model, operation, input_tokens, cache_read_tokens,
    cache_write_tokens, output_tokens, reasoning_tokens, buckets, flags, dialect, service_tier, role, price_status, reason, cost_usd, basis,
    provider_cost_usd, computed_usd, avoided_usd, waste, operation_id, attempt, attempts, price_provider, price_model, location, service_name, workflow, team,
    project, feature, customer, environment, simulated
)
WITH
told AS (
    SELECT *
    FROM work_calls
    WHERE settlement = {settlement:UInt64}
        AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_merged WHERE settlement = {settlement:UInt64})
    UNION ALL
    SELECT * FROM work_merged WHERE settlement = {settlement:UInt64}
),
fates AS (
    SELECT
        a.trace_id AS trace_id, a.span_id AS span_id, a.role AS role, r.input_tokens AS input_rest, r.output_tokens AS output_rest,
        toFixedString('', 8) AS operation_id, toUInt16(0) AS attempt, toUInt16(0) AS attempts
    FROM (SELECT * FROM work_told_again WHERE settlement = {settlement:UInt64}) AS a
    LEFT ANY JOIN (SELECT * FROM work_rests WHERE settlement = {settlement:UInt64}) AS r ON a.trace_id = r.trace_id AND a.span_id = r.span_id
    UNION ALL
    SELECT trace_id, span_id, '' AS role, toInt64(0) AS input_rest, toInt64(0) AS output_rest, operation_id, attempt, attempts
    FROM work_attempts
    WHERE settlement = {settlement:UInt64}
        AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    w.trace_id AS trace_id,
    w.span_id AS span_id,
    s.start_time AS start_time,
    s.duration_ns AS duration_ns,
    w.provider AS provider,
    w.request_model AS model,
    w.response_model AS response_model,
    s.operation AS operation,
    w.fresh_tokens AS input_tokens,
    w.cache_read_tokens AS cache_read_tokens,
    w.cache_write_tokens AS cache_write_tokens,
    w.output_tokens AS output_tokens,
    w.reasoning_tokens AS reasoning_tokens,
    w.buckets AS buckets,
    arrayConcat(
        w.flags, p.flags,
        if(role = 'counted' AND w.call_class = 'rollup', ['from_rollup'], []),
        if(f.input_rest > 0 OR f.output_rest > 0, ['rest_not_added'], [])
    ) AS flags,
    w.dialect AS dialect,
    w.service_tier AS service_tier,
    multiIf(f.role = 'rollup', 'rollup', f.role = 'twin', 'twin', 'counted') AS role,
    if(role = 'counted', p.price_status, if(w.has_usage, 'priced', 'no_tokens')) AS price_status,
    multiIf(
        role = 'counted', p.reason,
        role = 'twin', 'another span tells of the same call',
        'rest_not_added' IN flags, concat(
            'sums up or wraps calls that count themselves, and tells of more than they do: ', toString(f.input_rest), ' input and ',
            toString(f.output_rest), ' output tokens are not added'
        ),
        'sums up or wraps calls that count themselves'
    ) AS reason,
    if(role = 'counted' AND (price_status = 'priced' OR (price_status = 'unpriced' AND p.cost_usd > 0)), p.cost_usd, NULL) AS cost_usd,
    if(isNull(cost_usd), '', toString(p.basis)) AS basis,
    p.provider_cost_usd AS provider_cost_usd,
    p.computed_usd AS computed_usd,
    if(w.local_cache_hit, p.computed_usd, NULL) AS avoided_usd,
    if(role = 'counted', p.waste, '') AS waste,
    multiIf(role != 'counted', toFixedString('', 8), f.attempts = 0, w.span_id, f.operation_id) AS operation_id,
    multiIf(role != 'counted', 0, f.attempts = 0, 1, f.attempt) AS attempt,
    multiIf(role != 'counted', 0, f.attempts = 0, 1, f.attempts) AS attempts,
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
FROM told AS w
INNER JOIN (
    SELECT trace_id, span_id, start_time, duration_ns, operation, location, service_name, workflow, team, project, feature, customer, environment, simulated
    FROM work_spans WHERE settlement = {settlement:UInt64}
) AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
LEFT ANY JOIN fates AS f ON w.trace_id = f.trace_id AND w.span_id = f.span_id
LEFT ANY JOIN (SELECT * FROM work_priced WHERE settlement = {settlement:UInt64}) AS p ON w.trace_id = p.trace_id AND w.span_id = p.span_id
