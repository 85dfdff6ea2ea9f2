-- Which model calls of the period have no price, and why, most calls first?
SELECT
    provider,
    model,
    reason,
    count() AS calls,
    lower(hex(any(trace_id))) AS example_trace_id
FROM calls
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND role = 'counted' AND price_status = 'unpriced'
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
GROUP BY provider, model, reason
ORDER BY calls DESC, provider, model, reason
