-- What do the calls tell that may be one call told several times? Those of traces with calls inside calls, or with several of which some are told by others than
-- the rest or tell nothing of an answer, with an answer that is named more than once, or with a call that another trace tells of. All other calls are calls of their own: most are.
-- Trace by trace.
-- Where there is: trees, work_repeated_answers, work_merges, work_told_elsewhere, work_edges
INSERT INTO work_families
WITH suspects AS (
    SELECT trace_id
    FROM work_calls
    WHERE settlement = {settlement:UInt64}
    GROUP BY trace_id
    HAVING count() > 1
        AND (min(teller) != max(teller) OR max(response_id = '' AND empty(finish_reasons) AND NOT failed AND NOT embedding))
    UNION ALL
    SELECT trace_id FROM work_climbs WHERE settlement = {settlement:UInt64}
    UNION ALL
    SELECT trace_id FROM work_merges WHERE settlement = {settlement:UInt64}
    UNION ALL
    SELECT trace_id
    FROM work_calls
    WHERE settlement = {settlement:UInt64} AND response_id != ''
        AND cityHash64(response_id) IN (SELECT answer FROM work_repeated_answers WHERE settlement = {settlement:UInt64})
),
told AS (SELECT * FROM work_calls WHERE settlement = {settlement:UInt64} AND trace_id IN (SELECT trace_id FROM suspects))
SELECT
    {settlement:UInt64} AS settlement,
    w.trace_id AS trace_id,
    w.span_id AS span_id,
    s.parent_span_id AS parent_span_id,
    w.teller AS teller,
    w.response_id AS response_id,
    w.call_class AS call_class,
    w.embedding AS embedding,
    w.models AS models,
    w.has_usage AS has_usage,
    w.usage_score AS usage_score,
    w.total_input_tokens AS input_tokens,
    arraySum(mapValues(mapFilter((k, v) -> startsWith(k, 'output') OR k = 'reasoning', w.buckets))) AS output_tokens,
    toUnixTimestamp64Nano(s.start_time) AS start_ns,
    start_ns + s.duration_ns AS end_ns,
    w.failed AS failed,
    w.response_id = '' AND empty(w.finish_reasons) AND output_tokens = 0 AND NOT failed AS silent,
    s.streams AS streams,
    cityHash64(s.name) AS named,
    if(match(s.error_type, '(?i)(error|exception)$'), cityHash64(lower(splitByChar('.', s.error_type)[-1])), 0) AS error
FROM work_spans AS s
INNER JOIN told AS w ON s.trace_id = w.trace_id AND s.span_id = w.span_id
WHERE s.settlement = {settlement:UInt64}
