-- How long did each inference take, against the age of its oldest input, newest first?
SELECT
    lower(hex(trace_id)) AS trace_id,
    workflow,
    model,
    assumeNotNull(age_ns) AS age_ns,
    duration_ns
FROM (
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
) AS inference
INNER JOIN (
    SELECT tenant, trace_id, inference_span_id AS span_id, maxOrNull(age_ns) AS age_ns
    FROM lineage
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    GROUP BY tenant, trace_id, span_id
) AS input USING (tenant, trace_id, span_id)
WHERE age_ns IS NOT NULL AND duration_ns > 0
ORDER BY start_time DESC, span_id
LIMIT {limit:UInt32}
