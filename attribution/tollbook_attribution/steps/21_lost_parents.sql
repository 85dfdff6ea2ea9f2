-- Which calls are below a roll-up by their time, as the spans between were lost or are still on their way? Those below a parent that is not there, where all that
-- names this parent lies within a roll-up of its trace: it stands in for the parent, the shortest one where there are several.
-- Trace by trace.
-- Where there is: work_calls
-- Where there is: trees
SELECT 1 AS found
FROM work_calls
WHERE settlement = {settlement:UInt64} AND call_class = 'rollup' AND has_usage
LIMIT 1;

INSERT INTO work_climbs (settlement, trace_id, span_id, parent_span_id)
WITH
sums AS (
    SELECT trace_id, span_id
    FROM work_calls
    WHERE settlement = {settlement:UInt64} AND call_class = 'rollup' AND has_usage
        AND trace_id IN (SELECT trace_id FROM work_calls WHERE settlement = {settlement:UInt64} GROUP BY trace_id HAVING count() > 1)
),
placed AS (
    SELECT trace_id, span_id, parent_span_id, toUnixTimestamp64Nano(start_time) AS start_ns, start_ns + duration_ns AS end_ns
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND trace_id IN (SELECT trace_id FROM sums)
),
lost AS (
    SELECT trace_id, parent_span_id AS span_id, min(start_ns) AS start_ns, max(end_ns) AS end_ns
    FROM placed
    WHERE parent_span_id != toFixedString('', 8) AND (trace_id, parent_span_id) NOT IN (SELECT trace_id, span_id FROM placed)
    GROUP BY trace_id, parent_span_id
)
SELECT
    {settlement:UInt64} AS settlement,
    l.trace_id AS trace_id,
    l.span_id AS span_id,
    argMin(s.span_id, (s.end_ns - s.start_ns, s.span_id)) AS parent_span_id
FROM lost AS l
INNER JOIN (SELECT * FROM placed WHERE (trace_id, span_id) IN (SELECT trace_id, span_id FROM sums)) AS s ON l.trace_id = s.trace_id
WHERE s.parent_span_id != l.span_id AND s.start_ns <= l.start_ns AND l.end_ns <= s.end_ns AND l.end_ns - l.start_ns < s.end_ns - s.start_ns
GROUP BY l.trace_id, l.span_id;

-- The way up to these, in traces that were not climbed.
INSERT INTO work_climbs (settlement, trace_id, span_id, parent_span_id)
SELECT {settlement:UInt64} AS settlement, trace_id, span_id, parent_span_id
FROM work_spans
WHERE settlement = {settlement:UInt64} AND parent_span_id != toFixedString('', 8)
    AND trace_id IN (SELECT trace_id FROM work_climbs WHERE settlement = {settlement:UInt64})
    AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_climbs WHERE settlement = {settlement:UInt64})
