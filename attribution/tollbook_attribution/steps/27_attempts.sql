-- Which calls were attempts of one operation, and which were waste?
-- Trace by trace. A call that fails and is followed, at the same place of its trace, by one of the same model with no other input was retried: both are attempts of
-- one operation. The same place: one digest of the input; without it, one wrapper around both; without one, one parent.
-- Waste: retried, aborted (cancelled by its caller), failed, truncated (it ran into a limit of length), duplicate.
-- Where there is: work_faults
INSERT INTO work_attempts
WITH
faults AS (SELECT * FROM work_faults WHERE settlement = {settlement:UInt64}),
placed AS (
    SELECT
        w.trace_id AS trace_id,
        w.span_id AS span_id,
        w.models AS models,
        w.embedding AS embedding,
        w.total_input_tokens AS input_tokens,
        toUnixTimestamp64Nano(s.start_time) AS start_ns,
        start_ns + s.duration_ns AS end_ns,
        f.cancelled OR (f.failed AND match(s.error_type, '(?i)cancel|abort|interrupt|disconnect|generatorexit')) AS aborted,
        f.failed OR aborted AS fails,
        f.cut AS cut,
        f.again AS again,
        multiIf(s.input_digest != '', 1, x.wrapper != toFixedString('', 8), 2, 3) AS how,
        multiIf(how = 1, s.input_digest, how = 2, x.wrapper, s.parent_span_id) AS place
    FROM (
        SELECT trace_id, span_id, models, embedding, total_input_tokens
        FROM work_calls
        WHERE settlement = {settlement:UInt64} AND trace_id IN (SELECT trace_id FROM faults)
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
    ) AS w
    INNER JOIN (
        SELECT trace_id, span_id, parent_span_id, start_time, duration_ns, error_type, input_digest
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND trace_id IN (SELECT trace_id FROM faults)
    ) AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
    LEFT ANY JOIN faults AS f ON w.trace_id = f.trace_id AND w.span_id = f.span_id
    LEFT ANY JOIN (
        SELECT p.trace_id AS trace_id, p.lower_id AS span_id, min((u.start_ns, u.span_id)).2 AS wrapper
        FROM (SELECT * FROM work_pairs WHERE settlement = {settlement:UInt64} AND same_call AND upper_class = 'leaf') AS p
        INNER JOIN (SELECT * FROM work_families WHERE settlement = {settlement:UInt64}) AS u ON p.trace_id = u.trace_id AND p.upper_id = u.span_id
        GROUP BY p.trace_id, p.lower_id
    ) AS x ON w.trace_id = x.trace_id AND w.span_id = x.span_id
),
chained AS (
    SELECT
        *,
        lagInFrame((fails, end_ns, models, input_tokens)) OVER in_order AS before,
        row_number() OVER in_order > 1 AND before.1 AND start_ns + 10000000 >= before.2
        AND (how = 2 OR empty(models) OR empty(before.3) OR hasAny(models, before.3))
        AND (input_tokens = 0 OR before.4 = 0 OR input_tokens = before.4) AS retries
    FROM placed
    WINDOW in_order AS (PARTITION BY trace_id, how, place, embedding ORDER BY start_ns, span_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
numbered AS (
    SELECT
        *,
        sum(NOT retries) OVER (
            PARTITION BY trace_id, how, place, embedding ORDER BY start_ns, span_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) AS operation
    FROM chained
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    first_value(span_id) OVER of_one AS operation_id,
    row_number() OVER of_one AS attempt,
    count() OVER (PARTITION BY trace_id, how, place, embedding, operation) AS attempts,
    multiIf(attempt < attempts, 'retried', aborted, 'aborted', fails, 'failed', cut, 'truncated', again, 'duplicate', '') AS waste
FROM numbered
WINDOW of_one AS (PARTITION BY trace_id, how, place, embedding, operation ORDER BY start_ns, span_id ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
