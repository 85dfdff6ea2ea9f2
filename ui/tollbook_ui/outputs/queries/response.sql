-- Which response ids do counted calls of the period have, since when, and of what? The oldest first.
-- Where no counted call of a trace has one, those hold that the same calls, told of again, have. What has none is one row without an id.
SELECT
    c.id AS id,
    min(c.start_time) AS time,
    argMin(c.service_name, c.start_time) AS service_name,
    argMin(c.model, c.start_time) AS model,
    c.tenant AS tenant,
    lower(hex(argMin(c.trace_id, c.start_time))) AS trace_id,
    greatest(countIf(c.counts), 1) AS told
FROM (
    SELECT
        k.tenant AS tenant, k.trace_id AS trace_id, k.start_time AS start_time, k.service_name AS service_name, k.model AS model, k.counts AS counts,
        t.id AS id,
        countIf(id != '') OVER (PARTITION BY tenant, trace_id) AS ids,
        countIf(id != '' AND counts) OVER (PARTITION BY tenant, trace_id) AS counted_ids
    FROM (
        SELECT
            tenant, trace_id, span_id, start_time, service_name,
            role = 'counted' AS counts,
            if(response_model = '', calls.model, response_model) AS model
        FROM calls
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            AND service_name = ifNull({service:Nullable(String)}, service_name)
            AND workflow = ifNull({workflow:Nullable(String)}, workflow)
            AND team = ifNull({team:Nullable(String)}, team)
            AND project = ifNull({project:Nullable(String)}, project)
            AND feature = ifNull({feature:Nullable(String)}, feature)
            AND customer = ifNull({customer:Nullable(String)}, customer)
            AND environment = ifNull({environment:Nullable(String)}, environment)
    ) AS k
    LEFT JOIN (
        SELECT tenant, trace_id, span_id, max(trim(if(response_id = '', attributes['ai.response.id'], response_id))) AS id
        FROM spans
        WHERE start_time >= {since:DateTime('UTC')} AND start_time < {until:DateTime('UTC')}
            AND (response_id != '' OR attributes['ai.response.id'] != '')
        GROUP BY tenant, trace_id, span_id
    ) AS t ON k.tenant = t.tenant AND k.trace_id = t.trace_id AND k.span_id = t.span_id
) AS c
WHERE if(c.counts, c.id != '' OR c.counted_ids > 0 OR c.ids = 0, c.id != '' AND c.counted_ids = 0)
GROUP BY c.tenant, c.id
ORDER BY time, id, tenant
LIMIT {limit:UInt32}
