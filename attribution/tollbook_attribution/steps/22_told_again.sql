-- Which of these spans tell of a call that another span tells of better?
-- Twins: spans of one trace with the same response id; the one that says most about the usage counts.
-- Roll-ups and wrappers: a span above another that tells of the same call; the lower one counts, unless only the upper one has tokens.
-- Two spans do not tell of the same call where they name different answers, or different models (a date at the end is no difference).
INSERT INTO work_told_again
WITH RECURSIVE above AS (
    SELECT w.trace_id AS trace_id, w.span_id AS span_id, s.parent_span_id AS ancestor_id, 1 AS depth
    FROM work_calls AS w
    INNER JOIN work_spans AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
    WHERE w.settlement = {settlement:UInt64} AND s.settlement = {settlement:UInt64}
        AND w.trace_id IN (
            SELECT trace_id FROM work_calls WHERE settlement = {settlement:UInt64} GROUP BY trace_id HAVING count() > 1
        )
    UNION ALL
    SELECT above.trace_id AS trace_id, above.span_id AS span_id, s.parent_span_id AS ancestor_id, above.depth + 1 AS depth
    FROM above
    INNER JOIN (
        SELECT trace_id, span_id, parent_span_id
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND trace_id IN (
            SELECT trace_id FROM work_calls WHERE settlement = {settlement:UInt64} GROUP BY trace_id HAVING count() > 1
        )
    ) AS s ON above.trace_id = s.trace_id AND above.ancestor_id = s.span_id
    WHERE above.depth < 100 AND s.parent_span_id != toFixedString('', 8)
),
pairs AS (
    SELECT
        u.trace_id AS trace_id,
        u.span_id AS upper_id,
        l.span_id AS lower_id,
        u.call_class AS upper_class,
        l.call_class AS lower_class,
        u.has_usage AS upper_usage,
        l.has_usage AS lower_usage,
        u.call_class = 'rollup' OR (
            (u.response_id = '' OR l.response_id = '' OR u.response_id = l.response_id)
            AND (u.embedding = l.embedding OR NOT u.has_usage)
            AND (
                empty(u.models) OR empty(l.models) OR NOT u.has_usage
                OR arrayExists(
                    m -> arrayExists(
                        n -> m = n OR (startsWith(m, n) AND match(substring(m, length(n) + 1), '^[-@][0-9]{4}'))
                            OR (startsWith(n, m) AND match(substring(n, length(m) + 1), '^[-@][0-9]{4}')),
                        l.models
                    ),
                    u.models
                )
            )
        ) AS same_call,
        u.response_id != '' AND u.response_id = l.response_id AND u.call_class = l.call_class AS are_twins
    FROM above
    INNER JOIN work_calls AS u ON above.trace_id = u.trace_id AND above.ancestor_id = u.span_id
    INNER JOIN work_calls AS l ON above.trace_id = l.trace_id AND above.span_id = l.span_id
    WHERE u.settlement = {settlement:UInt64} AND l.settlement = {settlement:UInt64} AND u.span_id != l.span_id
),
told AS (
    SELECT trace_id, upper_id AS span_id, if(upper_class = 'rollup' OR NOT upper_usage, 'rollup', 'twin') AS role
    FROM pairs
    WHERE same_call AND NOT are_twins AND (lower_usage OR NOT upper_usage)
    UNION ALL
    SELECT trace_id, lower_id AS span_id, 'twin' AS role
    FROM pairs
    WHERE same_call AND NOT are_twins AND upper_usage AND NOT lower_usage AND upper_class = 'leaf'
    UNION ALL
    SELECT trace_id, span_id, 'twin' AS role
    FROM (
        SELECT
            trace_id, span_id,
            row_number() OVER (
                PARTITION BY trace_id, response_id ORDER BY call_class ASC, has_usage DESC, usage_score DESC, span_id ASC
            ) AS place
        FROM work_calls
        WHERE settlement = {settlement:UInt64} AND response_id != ''
    )
    WHERE place > 1
)
SELECT {settlement:UInt64} AS settlement, trace_id, span_id, min(told.role) AS role
FROM told
GROUP BY trace_id, span_id
