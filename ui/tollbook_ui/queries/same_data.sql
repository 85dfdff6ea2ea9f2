-- Which other requests had an inference on the same data, the earliest of each workflow?
SELECT
    toString(r.tenant) AS tenant,
    r.workflow AS workflow,
    lower(hex(argMin(r.trace_id, r.start_time))) AS trace_id
FROM requests AS r
WHERE
    (r.tenant, r.trace_id) IN (
        SELECT tenant, trace_id FROM lineage
        WHERE (tenant, asset_id) IN (SELECT tenant, asset_id FROM lineage WHERE trace_id = unhex({trace_id:String}))
    )
    AND r.trace_id != unhex({trace_id:String})
GROUP BY r.tenant, r.workflow
ORDER BY r.tenant, r.workflow
