-- Which other requests had an inference on the same data, the earliest of each workflow?
SELECT
    r.workflow AS workflow,
    lower(hex(argMin(r.trace_id, r.start_time))) AS trace_id
FROM requests AS r
WHERE
    r.trace_id IN (
        SELECT trace_id FROM lineage
        WHERE asset_id IN (SELECT asset_id FROM lineage WHERE trace_id = unhex({trace_id:String}))
    )
    AND r.trace_id != unhex({trace_id:String})
GROUP BY r.workflow
ORDER BY r.workflow
