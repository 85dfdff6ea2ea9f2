-- Which traces may hold calls inside calls?
-- Trace by trace. Only traces are climbed in which a call has a span below it and that hold another call.
-- Where there is: work_calls
-- Where there is: trees, work_told_elsewhere, work_edges
INSERT INTO work_climbs
WITH calling AS (
    SELECT trace_id, span_id
    FROM work_calls
    WHERE settlement = {settlement:UInt64} AND trace_id IN (
        SELECT trace_id FROM work_calls WHERE settlement = {settlement:UInt64} GROUP BY trace_id HAVING count() > 1
    )
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    parent_span_id,
    operation = 'execute_tool' OR framework_kind = 'TOOL'
        OR arrayExists(kind -> lower(kind) IN ('tool', 'execute_tool', 'ai.toolcall', 'claude_code.tool'), mapValues(told)) AS is_tool
FROM work_spans
WHERE settlement = {settlement:UInt64} AND parent_span_id != toFixedString('', 8)
    AND trace_id IN (
        SELECT trace_id
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND parent_span_id != toFixedString('', 8)
            AND (trace_id, parent_span_id) IN (SELECT trace_id, span_id FROM calling)
    )
