-- Where does the best evidence lead each span?
-- Where there is: work_merges
INSERT INTO work_leads
SELECT {settlement:UInt64} AS settlement, trace_id, span_id, best.2 AS into_trace_id, best.3 AS into_span_id
FROM (
    SELECT trace_id, span_id, min((evidence, into_trace_id, into_span_id)) AS best
    FROM work_merges
    WHERE settlement = {settlement:UInt64}
    GROUP BY trace_id, span_id
);

-- And where does that end? A span may be led to one that is led on itself, three times over at most.
INSERT INTO work_led
WITH leads AS (
    SELECT trace_id, span_id, into_trace_id, into_span_id
    FROM work_leads
    WHERE settlement = {settlement:UInt64}
        AND (trace_id, span_id) IN (SELECT into_trace_id, into_span_id FROM work_leads WHERE settlement = {settlement:UInt64})
),
first AS (
    SELECT trace_id, span_id, into_trace_id AS call_trace_id, into_span_id AS call_span_id FROM work_leads WHERE settlement = {settlement:UInt64}
),
second AS (
    SELECT
        c.trace_id AS trace_id, c.span_id AS span_id,
        if(m.into_span_id = toFixedString('', 8), c.call_trace_id, m.into_trace_id) AS call_trace_id,
        if(m.into_span_id = toFixedString('', 8), c.call_span_id, m.into_span_id) AS call_span_id
    FROM first AS c
    LEFT ANY JOIN leads AS m ON c.call_trace_id = m.trace_id AND c.call_span_id = m.span_id
),
third AS (
    SELECT
        c.trace_id AS trace_id, c.span_id AS span_id,
        if(m.into_span_id = toFixedString('', 8), c.call_trace_id, m.into_trace_id) AS call_trace_id,
        if(m.into_span_id = toFixedString('', 8), c.call_span_id, m.into_span_id) AS call_span_id
    FROM second AS c
    LEFT ANY JOIN leads AS m ON c.call_trace_id = m.trace_id AND c.call_span_id = m.span_id
),
fourth AS (
    SELECT
        c.trace_id AS trace_id, c.span_id AS span_id,
        if(m.into_span_id = toFixedString('', 8), c.call_trace_id, m.into_trace_id) AS call_trace_id,
        if(m.into_span_id = toFixedString('', 8), c.call_span_id, m.into_span_id) AS call_span_id
    FROM third AS c
    LEFT ANY JOIN leads AS m ON c.call_trace_id = m.trace_id AND c.call_span_id = m.span_id
)
SELECT {settlement:UInt64} AS settlement, trace_id, span_id, call_trace_id, call_span_id FROM fourth;

-- Which spans tell of one call, and which of them tells of it best? A roll-up after a call, one that sums up another after it, then what tells most of the
-- usage, then the inner one, then the one of most output: a stream's first half knows a part. Whether the call failed, the outermost one says: a failure inside
-- that was mended is none for who called, and what was answered may have come too late.
INSERT INTO work_same_calls
WITH members AS (
    SELECT trace_id, span_id, call_trace_id, call_span_id FROM work_led WHERE settlement = {settlement:UInt64}
    UNION ALL
    SELECT DISTINCT call_trace_id AS trace_id, call_span_id AS span_id, call_trace_id, call_span_id
    FROM work_led
    WHERE settlement = {settlement:UInt64}
        AND (call_trace_id, call_span_id) NOT IN (SELECT trace_id, span_id FROM work_led WHERE settlement = {settlement:UInt64})
)
SELECT
    {settlement:UInt64} AS settlement,
    c.trace_id AS trace_id,
    c.span_id AS span_id,
    c.call_trace_id AS call_trace_id,
    c.call_span_id AS call_span_id,
    row_number() OVER (
        PARTITION BY call_trace_id, call_span_id
        ORDER BY f.call_class ASC, f.has_usage DESC, e.exceeds ASC, f.usage_score DESC, e.uppers DESC, f.output_tokens DESC, f.start_ns ASC, span_id ASC
    ) AS place,
    first_value(f.failed) OVER (
        PARTITION BY call_trace_id, call_span_id
        ORDER BY f.call_class ASC, e.uppers ASC, f.start_ns ASC, span_id ASC
    ) AS failed
FROM (
    SELECT trace_id, span_id, call_class, has_usage, usage_score, output_tokens, start_ns, failed FROM work_families WHERE settlement = {settlement:UInt64}
) AS f
INNER JOIN members AS c ON c.trace_id = f.trace_id AND c.span_id = f.span_id
LEFT ANY JOIN (
    SELECT trace_id, span_id, max(exceeds) AS exceeds, sum(uppers) AS uppers
    FROM (
        SELECT trace_id, upper_id AS span_id, same_call AND lower_usage AND upper_exceeds AS exceeds, 0 AS uppers
        FROM work_pairs WHERE settlement = {settlement:UInt64}
        UNION ALL
        SELECT trace_id, lower_id AS span_id, false AS exceeds, 1 AS uppers FROM work_pairs WHERE settlement = {settlement:UInt64}
    )
    WHERE (trace_id, span_id) IN (SELECT trace_id, span_id FROM members)
    GROUP BY trace_id, span_id
) AS e ON f.trace_id = e.trace_id AND f.span_id = e.span_id
