-- Which calls are inside which, and where does a tool stand between them?
-- Trace by trace.
-- Where there is: work_climbs
INSERT INTO work_nesting
WITH RECURSIVE above AS (
    SELECT trace_id, span_id, parent_span_id AS upper_id, false AS by_tool, 1 AS height
    FROM work_climbs
    WHERE settlement = {settlement:UInt64}
        AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_calls WHERE settlement = {settlement:UInt64})
    UNION ALL
    SELECT above.trace_id AS trace_id, above.span_id AS span_id, c.parent_span_id AS upper_id, above.by_tool OR c.is_tool AS by_tool, above.height + 1 AS height
    FROM (SELECT trace_id, span_id, parent_span_id, is_tool FROM work_climbs WHERE settlement = {settlement:UInt64}) AS c
    INNER JOIN above ON c.trace_id = above.trace_id AND c.span_id = above.upper_id
    WHERE above.height < 100
)
SELECT {settlement:UInt64} AS settlement, trace_id, upper_id, span_id AS lower_id, max(by_tool) AS by_tool
FROM above
WHERE upper_id != span_id AND (trace_id, upper_id) IN (SELECT trace_id, span_id FROM work_calls WHERE settlement = {settlement:UInt64})
GROUP BY trace_id, upper_id, lower_id
