-- Which assets did the period's inferences use, oldest first?
SELECT
    asset_id,
    uniqExact(tenant, trace_id, inference_span_id) AS inferences,
    maxOrNull(age_ns) AS age_max_ns,
    argMax(lineage.event_time, age_ns) AS event_time,
    argMax(lineage.synced_at, age_ns) AS synced_at,
    any(lineage.workflow) AS workflow
FROM lineage
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND lineage.workflow = ifNull({workflow:Nullable(String)}, lineage.workflow)
    AND team = ifNull({team:Nullable(String)}, team)
GROUP BY asset_id
ORDER BY age_max_ns DESC NULLS LAST, asset_id
LIMIT 50
