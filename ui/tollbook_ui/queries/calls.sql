-- Which models were called in the period, how much did they read and write, and what did it cost, dearest first?
SELECT
    provider,
    model,
    response_model,
    operation,
    toString(price_status) AS price_status,
    reason,
    simulated,
    count() AS calls,
    sumOrNull(input_tokens) AS input_tokens,
    sumOrNull(cache_read_tokens) AS cache_read_tokens,
    sumOrNull(cache_write_tokens) AS cache_write_tokens,
    sumOrNull(output_tokens) AS output_tokens,
    sumOrNull(reasoning_tokens) AS reasoning_tokens,
    quantileExactOrNull(0.5)(duration_ns) AS duration_p50_ns,
    sumOrNull(cost_usd) AS cost_usd,
    lower(hex(argMax(trace_id, start_time))) AS example_trace_id
FROM calls
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND role = 'counted'
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
GROUP BY provider, model, response_model, operation, price_status, reason, simulated
ORDER BY cost_usd DESC NULLS LAST, calls DESC, provider, model, response_model, operation, price_status, reason
