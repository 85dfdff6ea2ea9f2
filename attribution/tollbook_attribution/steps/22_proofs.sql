-- Which spans of a trace name the same answer? All others are led to the first. Where one teller tells of different inputs to it, one after the other, the
-- server gives all answers one name: then those of the same length.
-- Trace by trace.
-- Where there is: work_families
INSERT INTO work_merges
WITH
one_name AS (
    SELECT trace_id, response_id
    FROM work_families
    WHERE settlement = {settlement:UInt64} AND response_id != '' AND input_tokens > 0 AND output_tokens > 0
    GROUP BY trace_id, response_id, teller
    HAVING uniqExact(input_tokens) > 1 AND max(start_ns) >= min(end_ns)
),
named AS (
    SELECT
        trace_id, span_id, start_ns,
        cityHash64(response_id, if((trace_id, response_id) IN (SELECT trace_id, response_id FROM one_name), (input_tokens, output_tokens), (0, 0))) AS answer
    FROM work_families
    WHERE settlement = {settlement:UInt64} AND response_id != ''
),
firsts AS (SELECT trace_id, answer, min((start_ns, span_id)).2 AS first FROM named GROUP BY trace_id, answer HAVING count() > 1)
SELECT
    {settlement:UInt64} AS settlement,
    f.trace_id AS trace_id, f.span_id AS span_id, f.trace_id AS into_trace_id, x.first AS into_span_id, 1 AS evidence
FROM named AS f
INNER JOIN firsts AS x ON f.trace_id = x.trace_id AND f.answer = x.answer
WHERE f.span_id != x.first;

-- What else proves two spans to tell of one call?
-- Inside: a call with exactly one call at the bottom below it. Beside (same parent, same time): another teller with the same token counts, where one of
-- the two names no answer; or with the same failure, where neither tells of tokens, an answer or an error of another class. Beside: the request's half,
-- which tells nothing of an answer, and the half that does, of a stream or with the tokens of one side each;
-- halves that both tell of the output have names of their own, the same input, one teller, and no time between them;
-- another teller's call inside the request's half that has the tokens of the other half is that call too. Elsewhere in the trace: a framework's callback opens
-- its span under its own, a client's SDK under the caller's. One lies in the other's time, has the same tokens, and names the answer that the other does not.
INSERT INTO work_merges
WITH
answers AS (SELECT trace_id, span_id, into_span_id FROM work_merges WHERE settlement = {settlement:UInt64} AND evidence = 1),
bottoms AS (SELECT trace_id, upper_id, lower_id FROM work_bottoms WHERE settlement = {settlement:UInt64}),
wrappers AS (
    SELECT
        b.trace_id AS trace_id,
        if(u.into_span_id = toFixedString('', 8), b.upper_id, u.into_span_id) AS call_id,
        min(if(l.into_span_id = toFixedString('', 8), b.lower_id, l.into_span_id)) AS into_id
    FROM bottoms AS b
    LEFT ANY JOIN answers AS u ON b.trace_id = u.trace_id AND b.upper_id = u.span_id
    LEFT ANY JOIN answers AS l ON b.trace_id = l.trace_id AND b.lower_id = l.span_id
    GROUP BY trace_id, call_id
    HAVING uniqExact(if(l.into_span_id = toFixedString('', 8), b.lower_id, l.into_span_id)) = 1
),
beside AS (
    SELECT
        f.*,
        if(m.into_span_id = toFixedString('', 8), f.span_id, m.into_span_id) AS call_id,
        (f.trace_id, f.span_id) IN (SELECT trace_id, upper_id FROM bottoms) AS wraps,
        (wraps, f.response_id != '', -f.start_ns, f.span_id) AS rank,
        row_number() OVER (PARTITION BY f.trace_id, f.parent_span_id, f.teller, f.input_tokens, f.output_tokens ORDER BY f.start_ns, f.span_id) AS place,
        first_value(f.named) OVER (PARTITION BY f.trace_id, f.parent_span_id, f.teller ORDER BY f.start_ns, f.span_id) AS first_named
    FROM (
        SELECT *
        FROM work_families
        WHERE settlement = {settlement:UInt64} AND call_class = 'leaf' AND (trace_id, parent_span_id) IN (
            SELECT trace_id, parent_span_id
            FROM work_families
            WHERE settlement = {settlement:UInt64} AND call_class = 'leaf'
            GROUP BY trace_id, parent_span_id
            HAVING count() > 1 AND (min(teller) != max(teller) OR max(silent) OR max(streams))
        )
    ) AS f
    LEFT ANY JOIN answers AS m ON f.trace_id = m.trace_id AND f.span_id = m.span_id
),
twins AS (
    SELECT a.trace_id AS trace_id, a.call_id AS call_id, argMax(b.call_id, b.rank) AS into_id
    FROM (SELECT * FROM beside WHERE has_usage) AS a
    INNER JOIN (SELECT * FROM beside WHERE has_usage) AS b
        ON a.trace_id = b.trace_id AND a.parent_span_id = b.parent_span_id AND a.place = b.place
        AND a.input_tokens = b.input_tokens AND a.output_tokens = b.output_tokens
    WHERE a.teller != b.teller AND a.embedding = b.embedding AND a.rank < b.rank AND NOT a.wraps
        AND (a.response_id = '' OR b.response_id = '')
        AND (empty(a.models) OR empty(b.models) OR arrayExists(m -> arrayExists(n -> startsWith(m, n) OR startsWith(n, m), b.models), a.models))
        AND a.start_ns <= b.end_ns AND b.start_ns <= a.end_ns
    GROUP BY a.trace_id, a.call_id
),
failed AS (
    SELECT
        trace_id, span_id, parent_span_id, teller, embedding, models, error, start_ns, end_ns,
        row_number() OVER (PARTITION BY trace_id, parent_span_id, teller ORDER BY start_ns, span_id) AS place
    FROM work_families
    WHERE settlement = {settlement:UInt64} AND call_class = 'leaf' AND failed AND NOT has_usage AND response_id = ''
),
failures AS (
    SELECT a.trace_id AS trace_id, a.span_id AS call_id, min((b.start_ns, b.span_id)).2 AS into_id
    FROM (SELECT * FROM failed) AS a
    INNER JOIN (SELECT * FROM failed) AS b ON a.trace_id = b.trace_id AND a.parent_span_id = b.parent_span_id AND a.place = b.place
    WHERE a.teller != b.teller AND a.embedding = b.embedding AND (a.start_ns, a.span_id) > (b.start_ns, b.span_id)
        AND (a.error = 0 OR b.error = 0 OR a.error = b.error)
        AND arrayExists(m -> arrayExists(n -> startsWith(m, n) OR startsWith(n, m), b.models), a.models)
        AND a.start_ns <= b.end_ns
    GROUP BY a.trace_id, a.span_id
),
halves AS (
    SELECT
        a.trace_id AS trace_id, a.call_id AS call_id, b.call_id AS into_id,
        row_number() OVER (PARTITION BY trace_id, call_id ORDER BY abs(b.start_ns - a.end_ns), into_id) AS place_of_into,
        row_number() OVER (PARTITION BY trace_id, into_id ORDER BY abs(b.start_ns - a.end_ns), call_id) AS place_of_call
    FROM (SELECT * FROM beside WHERE silent AND NOT embedding AND NOT wraps) AS a
    INNER JOIN (SELECT * FROM beside WHERE output_tokens > 0) AS b ON a.trace_id = b.trace_id AND a.parent_span_id = b.parent_span_id
    WHERE if(a.has_usage, b.input_tokens = 0, a.streams OR b.streams)
        AND arrayExists(m -> arrayExists(n -> startsWith(m, n) OR startsWith(n, m), b.models), a.models)
        AND b.start_ns >= a.start_ns AND b.start_ns <= a.end_ns + 1000000000
),
streamed AS (
    SELECT
        a.trace_id AS trace_id, a.call_id AS call_id, b.call_id AS into_id,
        row_number() OVER (PARTITION BY trace_id, call_id ORDER BY abs(b.start_ns - a.end_ns), into_id) AS place_of_into,
        row_number() OVER (PARTITION BY trace_id, into_id ORDER BY abs(b.start_ns - a.end_ns), call_id) AS place_of_call
    FROM (SELECT * FROM beside WHERE named = first_named AND output_tokens > 0 AND input_tokens > 0 AND response_id = '' AND NOT failed AND NOT wraps) AS a
    INNER JOIN (SELECT * FROM beside WHERE named != first_named AND streams AND response_id = '') AS b
        ON a.trace_id = b.trace_id AND a.parent_span_id = b.parent_span_id AND a.teller = b.teller AND a.input_tokens = b.input_tokens
    WHERE a.output_tokens <= b.output_tokens AND b.start_ns >= a.start_ns AND b.start_ns <= a.end_ns + 100000000 AND b.end_ns > a.end_ns
        AND arrayExists(m -> arrayExists(n -> startsWith(m, n) OR startsWith(n, m), b.models), a.models)
),
halved AS (
    SELECT h.trace_id AS trace_id, h.into_id AS call_id, min(p.lower_id) AS into_id
    FROM (SELECT trace_id, call_id, into_id FROM halves WHERE place_of_into = 1 AND place_of_call = 1) AS h
    INNER JOIN (
        SELECT trace_id, upper_id, lower_id
        FROM work_pairs
        WHERE settlement = {settlement:UInt64} AND same_call AND lower_usage AND NOT upper_usage
    ) AS p ON h.trace_id = p.trace_id AND h.call_id = p.upper_id
    INNER JOIN (SELECT * FROM work_families WHERE settlement = {settlement:UInt64} AND response_id = '') AS b
        ON h.trace_id = b.trace_id AND h.into_id = b.span_id
    INNER JOIN (SELECT * FROM work_families WHERE settlement = {settlement:UInt64}) AS l ON p.trace_id = l.trace_id AND p.lower_id = l.span_id
    WHERE b.input_tokens = l.input_tokens AND b.output_tokens = l.output_tokens AND b.teller != l.teller
    GROUP BY trace_id, call_id
    HAVING uniqExact(p.lower_id) = 1
),
told AS (
    SELECT trace_id, span_id, parent_span_id, teller, response_id, models, input_tokens, output_tokens, start_ns, end_ns
    FROM work_families
    WHERE settlement = {settlement:UInt64} AND call_class = 'leaf' AND NOT embedding AND input_tokens > 0 AND output_tokens > 0
),
callbacks AS (
    SELECT
        a.trace_id AS trace_id, a.span_id AS call_id, b.span_id AS into_id,
        row_number() OVER (PARTITION BY trace_id, call_id ORDER BY b.start_ns - a.start_ns, into_id) AS place_of_into,
        row_number() OVER (PARTITION BY trace_id, into_id ORDER BY b.start_ns - a.start_ns, call_id) AS place_of_call
    FROM (SELECT * FROM told WHERE response_id = '') AS a
    INNER JOIN (SELECT * FROM told WHERE response_id != '') AS b
        ON a.trace_id = b.trace_id AND a.input_tokens = b.input_tokens AND a.output_tokens = b.output_tokens
    WHERE a.teller != b.teller AND a.parent_span_id != b.parent_span_id AND a.start_ns <= b.start_ns AND b.end_ns <= a.end_ns
        AND arrayExists(m -> arrayExists(n -> startsWith(m, n) OR startsWith(n, m), b.models), a.models)
        AND (a.trace_id, a.span_id, b.span_id) NOT IN (SELECT trace_id, upper_id, lower_id FROM work_pairs WHERE settlement = {settlement:UInt64})
)
SELECT {settlement:UInt64} AS settlement, trace_id, call_id AS span_id, trace_id AS into_trace_id, into_id AS into_span_id, evidence
FROM (
    SELECT trace_id, call_id, into_id, 3 AS evidence FROM wrappers
    UNION ALL
    SELECT trace_id, call_id, into_id, 4 AS evidence FROM twins
    UNION ALL
    SELECT trace_id, call_id, into_id, 4 AS evidence FROM failures
    UNION ALL
    SELECT trace_id, call_id, into_id, 5 AS evidence FROM halves WHERE place_of_into = 1 AND place_of_call = 1
    UNION ALL
    SELECT trace_id, call_id, into_id, 5 AS evidence FROM streamed WHERE place_of_into = 1 AND place_of_call = 1
    UNION ALL
    SELECT trace_id, call_id, into_id, 6 AS evidence FROM halved
    UNION ALL
    SELECT trace_id, call_id, into_id, 7 AS evidence FROM callbacks WHERE place_of_into = 1 AND place_of_call = 1
)
WHERE call_id != into_id
