-- Which models were called in the period, how much did they read and write, and what did it cost, dearest first?
-- A thousand models have rows of their own; all others are told as one, whose name says how many they are.
WITH
    called AS (
        SELECT * FROM calls
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            AND role = 'counted'
            AND service_name = ifNull({service:Nullable(String)}, service_name)
            AND workflow = ifNull({workflow:Nullable(String)}, workflow)
            AND team = ifNull({team:Nullable(String)}, team)
            AND project = ifNull({project:Nullable(String)}, project)
            AND feature = ifNull({feature:Nullable(String)}, feature)
            AND customer = ifNull({customer:Nullable(String)}, customer)
            AND environment = ifNull({environment:Nullable(String)}, environment)
    ),

    named AS (
        SELECT model FROM called
        GROUP BY model
        ORDER BY sumOrNull(cost_usd) DESC NULLS LAST, count() DESC, model
        LIMIT 1000
    ),

    (SELECT concat('and ', toString(uniqExact(model) - 1000), ' more') FROM called) AS others
SELECT
    if(called.model IN named, called.provider, '') AS provider,
    if(called.model IN named, called.model, others) AS model,
    if(called.model IN named, called.response_model, '') AS response_model,
    operation,
    toString(price_status) AS price_status,
    if(called.model IN named, called.reason, '') AS reason,
    simulated,
    count() AS calls,
    sumOrNull(input_tokens) AS input_tokens,
    sumOrNull(cache_read_tokens) AS cache_read_tokens,
    sumOrNull(cache_write_tokens) AS cache_write_tokens,
    sumOrNull(output_tokens) AS output_tokens,
    sumOrNull(reasoning_tokens) AS reasoning_tokens,
    quantileExactIfOrNull(0.5)(duration_ns, duration_ns > 0) AS duration_p50_ns,
    sumOrNull(cost_usd) AS cost_usd,
    lower(hex(argMax(trace_id, start_time))) AS example_trace_id
FROM called
GROUP BY provider, model, response_model, operation, price_status, reason, simulated
ORDER BY cost_usd DESC NULLS LAST, calls DESC, provider, model, response_model, operation, price_status, reason
