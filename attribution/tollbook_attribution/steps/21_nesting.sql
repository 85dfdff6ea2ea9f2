-- Which calls are inside which?
-- Trace by trace. Only traces are climbed in which a call has a span below it and that hold another call.
INSERT INTO work_climbs
WITH calling AS (
    SELECT trace_id, span_id
    FROM work_calls
    WHERE settlement = {settlement:UInt64} AND trace_id IN (
        SELECT trace_id FROM work_calls WHERE settlement = {settlement:UInt64} GROUP BY trace_id HAVING count() > 1
    )
)
SELECT {settlement:UInt64} AS settlement, trace_id, span_id, parent_span_id
FROM work_spans
WHERE settlement = {settlement:UInt64} AND parent_span_id != toFixedString('', 8)
    AND trace_id IN (
        SELECT trace_id
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND parent_span_id != toFixedString('', 8)
            AND (trace_id, parent_span_id) IN (SELECT trace_id, span_id FROM calling)
    );

INSERT INTO work_nesting
WITH RECURSIVE above AS (
    SELECT trace_id, span_id, parent_span_id AS upper_id, 1 AS height
    FROM work_climbs
    WHERE settlement = {settlement:UInt64}
        AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_calls WHERE settlement = {settlement:UInt64})
    UNION ALL
    SELECT above.trace_id AS trace_id, above.span_id AS span_id, c.parent_span_id AS upper_id, above.height + 1 AS height
    FROM (SELECT trace_id, span_id, parent_span_id FROM work_climbs WHERE settlement = {settlement:UInt64}) AS c
    INNER JOIN above ON c.trace_id = above.trace_id AND c.span_id = above.upper_id
    WHERE above.height < 100
)
SELECT DISTINCT {settlement:UInt64} AS settlement, trace_id, upper_id, span_id AS lower_id
FROM above
WHERE upper_id != span_id AND (trace_id, upper_id) IN (SELECT trace_id, span_id FROM work_calls WHERE settlement = {settlement:UInt64});
