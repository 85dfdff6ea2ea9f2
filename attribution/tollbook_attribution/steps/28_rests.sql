-- What do roll-ups tell of beyond what the calls below them tell? It is named and never added: nobody knows whether these tokens are on another span.
-- Trace by trace. Of the spans that tell of one call, the one that tells of most is taken.
-- Where there is: work_pairs
INSERT INTO work_rests
WITH
sums AS (
    SELECT trace_id, upper_id, lower_id
    FROM work_pairs
    WHERE settlement = {settlement:UInt64} AND same_call AND upper_usage AND lower_usage
        AND (trace_id, upper_id) IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64} AND role = 'rollup')
        AND (trace_id, lower_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64} AND role = 'rollup')
),
below AS (
    SELECT
        s.trace_id AS trace_id,
        s.upper_id AS upper_id,
        if(m.call_span_id = toFixedString('', 8), (s.trace_id, s.lower_id), (m.call_trace_id, m.call_span_id)) AS call,
        max(l.input_tokens) AS input_tokens,
        max(l.output_tokens) AS output_tokens
    FROM sums AS s
    INNER JOIN (SELECT * FROM work_families WHERE settlement = {settlement:UInt64}) AS l ON s.trace_id = l.trace_id AND s.lower_id = l.span_id
    LEFT ANY JOIN (SELECT * FROM work_same_calls WHERE settlement = {settlement:UInt64}) AS m ON s.trace_id = m.trace_id AND s.lower_id = m.span_id
    GROUP BY trace_id, upper_id, call
)
SELECT
    {settlement:UInt64} AS settlement,
    u.trace_id AS trace_id,
    u.span_id AS span_id,
    greatest(any(u.input_tokens) - sum(b.input_tokens), 0) AS input_rest,
    greatest(any(u.output_tokens) - sum(b.output_tokens), 0) AS output_rest
FROM (SELECT * FROM work_families WHERE settlement = {settlement:UInt64}) AS u
INNER JOIN below AS b ON u.trace_id = b.trace_id AND u.span_id = b.upper_id
GROUP BY u.trace_id, u.span_id
HAVING input_rest > 0 OR output_rest > 0
