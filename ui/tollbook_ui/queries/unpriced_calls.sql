-- Which model calls of the period have no price, and why, most calls first?
-- A thousand models have rows of their own; all others are told as one, whose name says how many they are.
WITH
    unpriced AS (
        SELECT * FROM calls
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            AND role = 'counted' AND price_status = 'unpriced'
            AND service_name = ifNull({service:Nullable(String)}, service_name)
            AND workflow = ifNull({workflow:Nullable(String)}, workflow)
            AND team = ifNull({team:Nullable(String)}, team)
            AND project = ifNull({project:Nullable(String)}, project)
            AND feature = ifNull({feature:Nullable(String)}, feature)
            AND customer = ifNull({customer:Nullable(String)}, customer)
            AND environment = ifNull({environment:Nullable(String)}, environment)
    ),

    named AS (SELECT model FROM unpriced GROUP BY model ORDER BY count() DESC, model LIMIT 1000),

    (SELECT concat('and ', toString(uniqExact(model) - 1000), ' more') FROM unpriced) AS others
SELECT
    if(unpriced.model IN named, unpriced.provider, '') AS provider,
    if(unpriced.model IN named, unpriced.model, others) AS model,
    if(unpriced.model IN named, unpriced.reason, 'too many models to list') AS reason,
    count() AS calls,
    lower(hex(any(trace_id))) AS example_trace_id
FROM unpriced
GROUP BY provider, model, reason
ORDER BY calls DESC, provider, model, reason
