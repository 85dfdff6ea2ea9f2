-- Which data did the request's inferences use, and how old was it then, oldest first?
SELECT
    asset_id,
    asset_version,
    event_time,
    age_ns,
    synced_at,
    toString(via) AS via,
    lower(hex(inference_span_id)) AS inference_span_id,
    model
FROM lineage
WHERE trace_id = unhex({trace_id:String})
ORDER BY age_ns DESC NULLS LAST, asset_id, inference_span_id
LIMIT 1000
