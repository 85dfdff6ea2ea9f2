-- Whose is a trace, where some of its spans name an owner and others do not? The one that the earliest of its spans names.
-- Trace by trace.
-- Where there is: divided
INSERT INTO work_owners
WITH divided AS (
    SELECT trace_id
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
        AND trace_id BETWEEN unhex({first_trace:String}) AND unhex({last_trace:String})
        AND (NOT {neighbours:Bool} OR trace_id GLOBAL IN (SELECT trace_id FROM work_edges WHERE settlement = {settlement:UInt64}))
    GROUP BY trace_id
    HAVING groupBitOr(
        (workflow != '') + 2 * (team != '') + 4 * (project != '') + 8 * (feature != '') + 16 * (customer != '') + 32 * (environment != '')
    ) != groupBitAnd(
        (workflow != '') + 2 * (team != '') + 4 * (project != '') + 8 * (feature != '') + 16 * (customer != '') + 32 * (environment != '')
    )
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    argMinIf(workflow, (start_time, span_id), workflow != '') AS workflow,
    argMinIf(team, (start_time, span_id), team != '') AS team,
    argMinIf(project, (start_time, span_id), project != '') AS project,
    argMinIf(feature, (start_time, span_id), feature != '') AS feature,
    argMinIf(customer, (start_time, span_id), customer != '') AS customer,
    argMinIf(environment, (start_time, span_id), environment != '') AS environment
FROM spans
WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
    AND trace_id BETWEEN unhex({first_trace:String}) AND unhex({last_trace:String})
    AND trace_id IN (SELECT trace_id FROM divided)
GROUP BY trace_id
