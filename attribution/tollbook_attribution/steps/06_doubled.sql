-- Which spans were told twice?
-- Trace by trace.
INSERT INTO work_doubled
SELECT {settlement:UInt64} AS settlement, trace_id, span_id
FROM spans
WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
    AND trace_id BETWEEN unhex({first_trace:String}) AND unhex({last_trace:String})
GROUP BY trace_id, span_id
HAVING count() > 1
