-- Which calls asked again what had been answered in this window? The same model on an input of the same digest, after an answer; not what failed or was
-- answered from a cache.
INSERT INTO work_duplicates
SELECT {settlement:UInt64} AS settlement, trace_id, span_id
FROM (
    SELECT
        w.trace_id AS trace_id,
        w.span_id AS span_id,
        row_number() OVER (PARTITION BY if(w.response_model != '', w.response_model, w.request_model), s.input_digest ORDER BY s.start_time, span_id) AS place
    FROM (
        SELECT trace_id, span_id, request_model, response_model
        FROM work_calls
        WHERE settlement = {settlement:UInt64} AND NOT failed AND NOT local_cache_hit AND call_class = 'leaf'
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
    ) AS w
    INNER JOIN (
        SELECT trace_id, span_id, input_digest, start_time FROM work_spans WHERE settlement = {settlement:UInt64} AND input_digest != ''
    ) AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
)
WHERE place > 1
