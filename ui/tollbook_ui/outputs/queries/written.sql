-- Which assets, or contents by their digest, did traces with counted calls of the period write? The oldest first.
-- A write without such an id is in the row without one.
SELECT
    w.id AS id,
    min(w.start_time) AS time,
    argMin(w.service_name, w.start_time) AS service_name,
    argMin(c.model, w.start_time) AS model,
    w.tenant AS tenant,
    lower(hex(argMin(w.trace_id, w.start_time))) AS trace_id,
    count() AS told
FROM (
    SELECT
        tenant, trace_id, span_id,
        any(spans.start_time) AS start_time,
        any(spans.service_name) AS service_name,
        max(trim(if({by:String} = 'asset', asset_id, content_digest))) AS id
    FROM spans
    WHERE spans.start_time >= {since:DateTime('UTC')} AND spans.start_time < {until:DateTime('UTC')}
        AND lower(handoff_operation) = 'write'
    GROUP BY tenant, trace_id, span_id
) AS w
INNER JOIN (
    SELECT tenant, trace_id, argMin(if(response_model = '', calls.model, response_model), start_time) AS model
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
    GROUP BY tenant, trace_id
) AS c ON w.tenant = c.tenant AND w.trace_id = c.trace_id
GROUP BY w.tenant, w.id
ORDER BY time, id, tenant
LIMIT {limit:UInt32}
