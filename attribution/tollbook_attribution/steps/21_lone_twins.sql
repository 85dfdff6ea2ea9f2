-- Which calls of a script without a span around them do two tellers tell of, each in a trace of its own? Those of one process that no parent and no other call
-- of their trace stands beside, of the same model and length, one within the other's time (100 ms for who closes first), where one of the two names no answer.
-- Only where the process has an id: calls of two replicas may be alike. What three tell of as much are samples of one body rather than tellings of one call.
-- Calls alike at the same time are paired in the order that they began in. Each is led to itself too, so that its trace is looked at.
-- Where there is: work_calls
SELECT 1 AS found
FROM (SELECT DISTINCT teller FROM work_calls WHERE settlement = {settlement:UInt64})
HAVING count() > 1;

INSERT INTO work_merges
WITH
heads AS (
    SELECT trace_id, span_id, process, toUnixTimestamp64Nano(start_time) AS start_ns, start_ns + duration_ns AS end_ns
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND parent_span_id = toFixedString('', 8) AND process != 0 AND process IN (
        SELECT process
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND parent_span_id = toFixedString('', 8)
        GROUP BY process
        HAVING min(scope_name) != max(scope_name)
    )
),
lone AS (
    SELECT
        w.trace_id AS trace_id, w.span_id AS span_id, w.teller AS teller, w.response_id AS response_id, w.models AS models, h.start_ns AS start_ns, h.end_ns AS end_ns,
        cityHash64(h.process, w.total_input_tokens, arraySum(mapValues(mapFilter((k, v) -> startsWith(k, 'output') OR k = 'reasoning', w.buckets)))) AS alike
    FROM (
        SELECT *
        FROM work_calls
        WHERE settlement = {settlement:UInt64} AND call_class = 'leaf' AND NOT embedding AND NOT local_cache_hit AND total_input_tokens > 0
            AND trace_id IN (SELECT trace_id FROM heads)
    ) AS w
    INNER JOIN heads AS h ON w.trace_id = h.trace_id AND w.span_id = h.span_id
    WHERE arrayExists(k -> startsWith(k, 'output') OR k = 'reasoning', mapKeys(w.buckets))
),
told_twice AS (
    SELECT *, row_number() OVER (PARTITION BY alike, teller ORDER BY start_ns, span_id) AS place
    FROM lone
    WHERE alike IN (SELECT alike FROM lone GROUP BY alike HAVING uniqExact(teller) = 2)
),
pairs AS (
    SELECT
        a.trace_id AS trace_id, a.span_id AS span_id,
        min((b.response_id = '', b.start_ns, b.trace_id, b.span_id)) AS best
    FROM told_twice AS a
    INNER JOIN told_twice AS b ON a.alike = b.alike AND a.place = b.place
    WHERE a.teller != b.teller AND a.trace_id != b.trace_id AND (a.response_id = '' OR b.response_id = '')
        AND (a.response_id = '', a.start_ns, a.trace_id, a.span_id) > (b.response_id = '', b.start_ns, b.trace_id, b.span_id)
        AND arrayExists(m -> arrayExists(n -> startsWith(m, n) OR startsWith(n, m), b.models), a.models)
        AND (
            (a.start_ns <= b.start_ns + 100000000 AND b.end_ns <= a.end_ns + 100000000)
            OR (b.start_ns <= a.start_ns + 100000000 AND a.end_ns <= b.end_ns + 100000000)
        )
    GROUP BY a.trace_id, a.span_id
),
known AS (
    SELECT trace_id
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {before:DateTime64(9, 'UTC')} AND start_time < {after:DateTime64(9, 'UTC')}
        AND (service_instance_id != '' OR isNotNull(process_pid)) AND trace_id GLOBAL IN (SELECT trace_id FROM pairs)
),
beside AS (
    SELECT trace_id
    FROM work_calls
    WHERE settlement = {settlement:UInt64} AND trace_id IN (SELECT arrayJoin([trace_id, best.3]) FROM pairs)
    GROUP BY trace_id
    HAVING count() > 1
)
SELECT {settlement:UInt64} AS settlement, ends.1 AS trace_id, ends.2 AS span_id, call.1 AS into_trace_id, call.2 AS into_span_id, 8 AS evidence
FROM (
    SELECT arrayJoin([(trace_id, span_id), (best.3, best.4)]) AS ends, (best.3, best.4) AS call
    FROM pairs
    WHERE trace_id IN (SELECT trace_id FROM known) AND trace_id NOT IN (SELECT trace_id FROM beside) AND best.3 NOT IN (SELECT trace_id FROM beside)
)
