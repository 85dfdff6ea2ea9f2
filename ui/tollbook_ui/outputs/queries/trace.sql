-- Which traces of the period have counted calls, since when, and of what? The oldest first.
SELECT
    lower(hex(calls.trace_id)) AS id,
    min(start_time) AS time,
    argMin(calls.service_name, start_time) AS service_name,
    argMin(if(response_model = '', calls.model, response_model), start_time) AS model,
    tenant,
    id AS trace_id,
    1 AS told
FROM calls
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND role = 'counted'
    AND calls.service_name = ifNull({service:Nullable(String)}, calls.service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
GROUP BY tenant, calls.trace_id
ORDER BY time, id, tenant
LIMIT {limit:UInt32}
