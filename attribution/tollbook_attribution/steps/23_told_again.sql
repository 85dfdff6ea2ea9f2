-- Which of these spans tell of a call that another span tells of better?
-- Twins: all but the best of those that tell of one call. Roll-ups: a span that sums up calls below it, declared or not; it counts only where nothing
-- below it tells of tokens or of a cost. A wrapper without tokens gives way to the call inside it, and a call without tokens to the span around it that has
-- them, unless it failed and the one around it did not: that was an attempt of its own.
-- Where there is: work_same_calls, work_pairs
INSERT INTO work_told_again
WITH pairs AS (SELECT * FROM work_pairs WHERE settlement = {settlement:UInt64} AND same_call),
costly AS (
    SELECT trace_id, span_id FROM work_calls WHERE settlement = {settlement:UInt64} AND call_class = 'leaf' AND NOT has_usage AND provider_cost > 0
),
same AS (SELECT * FROM work_same_calls WHERE settlement = {settlement:UInt64}),
sums AS (
    SELECT p.trace_id AS trace_id, p.upper_id AS span_id, (any(u.call_trace_id), any(u.call_span_id)) AS call
    FROM (SELECT trace_id, upper_id, lower_id FROM work_bottoms WHERE settlement = {settlement:UInt64}) AS p
    LEFT ANY JOIN same AS u ON p.trace_id = u.trace_id AND p.upper_id = u.span_id
    LEFT ANY JOIN same AS l ON p.trace_id = l.trace_id AND p.lower_id = l.span_id
    GROUP BY p.trace_id, p.upper_id
    HAVING uniqExact(if(l.call_span_id = toFixedString('', 8), (p.trace_id, p.lower_id), (l.call_trace_id, l.call_span_id))) > 1
),
told AS (
    SELECT trace_id, span_id, 'twin' AS role FROM same WHERE place > 1
    UNION ALL
    SELECT trace_id, span_id, 'rollup' AS role FROM sums
    UNION ALL
    SELECT trace_id, span_id, 'rollup' AS role FROM same WHERE (call_trace_id, call_span_id) IN (SELECT call FROM sums)
    UNION ALL
    SELECT trace_id, upper_id AS span_id, 'rollup' AS role
    FROM pairs
    WHERE if(upper_class = 'rollup', lower_usage OR (trace_id, lower_id) IN (SELECT trace_id, span_id FROM costly), NOT upper_usage)
    UNION ALL
    SELECT trace_id, lower_id AS span_id, 'twin' AS role
    FROM pairs
    WHERE upper_usage AND NOT lower_usage AND lower_class = 'leaf' AND NOT (lower_failed AND NOT upper_failed)
        AND (upper_class = 'leaf' OR (trace_id, upper_id) NOT IN (
            SELECT trace_id, upper_id FROM pairs WHERE lower_usage OR (trace_id, lower_id) IN (SELECT trace_id, span_id FROM costly)
        ))
)
SELECT {settlement:UInt64} AS settlement, trace_id, span_id, min(told.role) AS role
FROM told
GROUP BY trace_id, span_id
