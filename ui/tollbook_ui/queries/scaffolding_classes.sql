-- How much time, bytes and money went into useful work and into each class of scaffolding?
-- A span that ran on into later hours has a row in each of them; it counts once, in the hour that it began in.
SELECT
    toString(scaffolding_class) AS scaffolding_class,
    countIf(start_time >= window) AS spans,
    sum(span_costs.self_ns) AS self_ns,
    ifNull(sum(span_costs.bytes), 0) AS bytes,
    sum(span_costs.cost_usd) AS cost_usd
FROM span_costs
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND (tenant, trace_id) IN (
        SELECT tenant, trace_id FROM requests
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        AND service_name = ifNull({service:Nullable(String)}, service_name)
        AND workflow = ifNull({workflow:Nullable(String)}, workflow)
        AND team = ifNull({team:Nullable(String)}, team)
        AND project = ifNull({project:Nullable(String)}, project)
        AND feature = ifNull({feature:Nullable(String)}, feature)
        AND customer = ifNull({customer:Nullable(String)}, customer)
        AND environment = ifNull({environment:Nullable(String)}, environment)
    )
GROUP BY scaffolding_class
ORDER BY self_ns DESC, scaffolding_class
