-- Which spans of several traces name the same answer? Those at the same time, within 5 s for clocks that differ, by different tellers: a gateway that did not
-- hear of its caller's trace. At any other time of the hour, for clocks that differ by more, where both tell of as much, or the name is too long to be given
-- twice, unless a cache has given it again. A teller that names an answer in two traces tells of two calls, as some servers give all answers one id; but of one
-- where exactly two traces have such a long name, the same tokens, a model in common and their time: two instrumentations that speak by one library.
-- Where there is: work_repeated_answers
INSERT INTO work_merges
WITH heads AS (
    SELECT
        response_id,
        trace_id,
        min((start_ns, span_id)) AS head,
        max(end_ns) AS until_ns,
        (max(input_tokens), max(output_tokens)) AS told,
        groupUniqArray(teller) AS tellers,
        groupUniqArrayArray(models) AS models
    FROM work_families
    WHERE settlement = {settlement:UInt64} AND response_id != ''
        AND cityHash64(response_id) IN (
            SELECT answer FROM work_repeated_answers WHERE settlement = {settlement:UInt64} AND traces BETWEEN 2 AND 16
        )
    GROUP BY response_id, trace_id
)
SELECT
    {settlement:UInt64} AS settlement,
    a.trace_id AS trace_id,
    a.head.2 AS span_id,
    min((b.head.1, b.trace_id, b.head.2)).2 AS into_trace_id,
    min((b.head.1, b.trace_id, b.head.2)).3 AS into_span_id,
    2 AS evidence
FROM heads AS a
INNER JOIN heads AS b ON a.response_id = b.response_id
WHERE (b.head.1, b.trace_id) < (a.head.1, a.trace_id)
    AND (NOT hasAny(a.tellers, b.tellers) OR (
        length(a.response_id) >= 24 AND a.told = b.told AND a.told.1 > 0 AND a.told.2 > 0 AND hasAny(a.models, b.models) AND a.head.1 <= b.until_ns
        AND cityHash64(a.response_id) IN (SELECT answer FROM work_repeated_answers WHERE settlement = {settlement:UInt64} AND traces = 2)
    ))
    AND (
        a.head.1 <= b.until_ns + 5000000000
        OR (
            ((a.told = b.told AND a.told.1 > 0) OR length(a.response_id) >= 24)
            AND a.response_id NOT IN (SELECT response_id FROM work_calls WHERE settlement = {settlement:UInt64} AND local_cache_hit)
        )
    )
GROUP BY a.response_id, a.trace_id, a.head.2
