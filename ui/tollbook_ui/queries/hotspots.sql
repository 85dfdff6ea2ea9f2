-- Which operations are integration scaffolding, and what time, bytes and money do they take by themselves, most time first?
-- A span that ran on into later hours has a row in each of them; it counts once, in the hour that it began in.
SELECT
    toString(scaffolding_class) AS scaffolding_class,
    name,
    service_name,
    countIf(start_time >= window) AS spans,
    uniqExact(tenant, trace_id) AS requests,
    sum(span_costs.self_ns) AS self_ns,
    sumOrNull(span_costs.cpu_self_ns) AS cpu_self_ns,
    ifNull(sum(span_costs.bytes), 0) AS bytes,
    sum(span_costs.cost_usd) AS cost_usd,
    lower(hex(argMax(span_costs.trace_id, span_costs.self_ns))) AS example_trace_id
FROM span_costs
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND scaffolding_class NOT IN ('useful', '')
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
GROUP BY scaffolding_class, name, service_name
ORDER BY self_ns DESC, cost_usd DESC, name, service_name
LIMIT {limit:UInt32}
