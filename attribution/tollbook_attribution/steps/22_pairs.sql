-- Which calls inside which may be the same one? A roll-up stands for all below it. Two others are one call unless they name different answers, one is
-- an embedding and the other is not, they name different models (a date at the end is no difference), their lengths are at odds (longer on one side and shorter
-- on the other, or different after the outer one ended), or a tool stands between them: then the one called a model for the other. A proxy gives answers and
-- models names of its own and may estimate tokens: two tellers, one inside the other, that name different answers of exactly the same length on both sides, or
-- different models on about as much, tell of one.
-- Trace by trace.
-- Where there is: work_nesting
INSERT INTO work_pairs
WITH
    u.teller != l.teller AND u.has_usage AND u.input_tokens = l.input_tokens AND u.output_tokens = l.output_tokens AS retold,
    u.has_usage AND l.has_usage AND 10 * abs(u.input_tokens - l.input_tokens) <= greatest(u.input_tokens, l.input_tokens)
    AND 10 * abs(u.output_tokens - l.output_tokens) <= greatest(u.output_tokens, l.output_tokens) AS as_much,
    least(u.input_tokens, u.output_tokens, l.input_tokens, l.output_tokens) > 0 AND (
        (l.start_ns >= u.end_ns AND NOT as_much)
        OR (2 * l.input_tokens > 3 * u.input_tokens AND 2 * u.output_tokens > 3 * l.output_tokens)
        OR (2 * u.input_tokens > 3 * l.input_tokens AND 2 * l.output_tokens > 3 * u.output_tokens)
    ) AS at_odds,
    arrayExists(
        m -> arrayExists(
            n -> m = n OR (startsWith(m, n) AND match(substring(m, length(n) + 1), '^[-@][0-9]{4}'))
                OR (startsWith(n, m) AND match(substring(n, length(m) + 1), '^[-@][0-9]{4}')),
            l.models
        ),
        u.models
    ) AS share_model
SELECT
    {settlement:UInt64} AS settlement,
    n.trace_id AS trace_id,
    n.upper_id AS upper_id,
    n.lower_id AS lower_id,
    u.call_class AS upper_class,
    l.call_class AS lower_class,
    u.has_usage AS upper_usage,
    l.has_usage AS lower_usage,
    u.failed AS upper_failed,
    l.failed AS lower_failed,
    u.call_class = 'rollup' OR (
        (NOT n.by_tool OR NOT u.has_usage OR NOT l.has_usage OR retold)
        AND NOT at_odds
        AND (u.response_id = '' OR l.response_id = '' OR u.response_id = l.response_id OR retold)
        AND (u.embedding = l.embedding OR NOT u.has_usage)
        AND (empty(u.models) OR empty(l.models) OR NOT u.has_usage OR share_model OR (u.teller != l.teller AND as_much) OR (u.teller != l.teller AND l.failed AND NOT l.has_usage))
    ) AS same_call,
    (l.output_tokens > 0 AND u.output_tokens > l.output_tokens)
    OR (u.output_tokens = 0 AND l.output_tokens = 0 AND l.input_tokens > 0 AND u.input_tokens > l.input_tokens) AS upper_exceeds
FROM (SELECT trace_id, upper_id, lower_id, by_tool FROM work_nesting WHERE settlement = {settlement:UInt64}) AS n
INNER JOIN (SELECT * FROM work_families WHERE settlement = {settlement:UInt64}) AS u ON n.trace_id = u.trace_id AND n.upper_id = u.span_id
INNER JOIN (SELECT * FROM work_families WHERE settlement = {settlement:UInt64}) AS l ON n.trace_id = l.trace_id AND n.lower_id = l.span_id;

-- Which calls are at the bottom below a call?
INSERT INTO work_bottoms
SELECT DISTINCT {settlement:UInt64} AS settlement, trace_id, upper_id, lower_id
FROM work_pairs
WHERE settlement = {settlement:UInt64} AND same_call AND lower_usage AND upper_usage AND upper_class = 'leaf'
    AND (trace_id, lower_id) NOT IN (
        SELECT trace_id, upper_id FROM work_pairs WHERE settlement = {settlement:UInt64} AND same_call AND lower_usage
    )
