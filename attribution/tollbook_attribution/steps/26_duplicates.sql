-- Which calls asked again what had been answered in this window? The same model on an input of the same digest, after an answer; not what failed or was
-- answered from a cache.
-- Where there is: work_calls
-- Where there is: digests, work_edges
INSERT INTO work_duplicates
WITH asked AS (
    SELECT
        w.trace_id AS trace_id,
        w.span_id AS span_id,
        s.start_time AS start_time,
        cityHash64(if(w.response_model != '', w.response_model, w.request_model), s.input_digest) AS question
    FROM (
        SELECT trace_id, span_id, request_model, response_model
        FROM work_calls
        WHERE settlement = {settlement:UInt64} AND NOT failed AND NOT local_cache_hit AND call_class = 'leaf'
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
    ) AS w
    INNER JOIN (
        SELECT trace_id, span_id, input_digest, start_time
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND cityHash64(input_digest) IN (
            SELECT cityHash64(input_digest) FROM work_spans WHERE settlement = {settlement:UInt64} AND input_digest != ''
            GROUP BY cityHash64(input_digest) HAVING count() > 1
        )
    ) AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
)
SELECT {settlement:UInt64} AS settlement, trace_id, span_id
FROM asked
WHERE (question, trace_id, span_id) NOT IN (
    SELECT question, first.2 AS trace_id, first.3 AS span_id
    FROM (SELECT question, min((start_time, trace_id, span_id)) AS first FROM asked GROUP BY question)
)
