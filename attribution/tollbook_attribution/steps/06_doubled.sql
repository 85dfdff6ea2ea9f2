-- Which spans were told twice?
-- Trace by trace.
-- Where there is: doubled
INSERT INTO work_doubled
SELECT {settlement:UInt64} AS settlement, trace_id, span_id
FROM spans
WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
    AND trace_id BETWEEN unhex({first_trace:String}) AND unhex({last_trace:String})
    AND (NOT {neighbours:Bool} OR trace_id GLOBAL IN (SELECT trace_id FROM work_edges WHERE settlement = {settlement:UInt64}))
GROUP BY trace_id, span_id
HAVING count() > 1
