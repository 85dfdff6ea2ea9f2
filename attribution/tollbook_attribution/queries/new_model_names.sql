-- Which model names of this settlement has the price list not been asked about yet?
SELECT DISTINCT provider, model
FROM (
    SELECT s.provider AS provider, arrayJoin([toString(s.request_model), toString(s.response_model)]) AS model
    FROM work_calls AS w
    INNER JOIN work_spans AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
    WHERE w.settlement = {settlement:UInt64} AND s.settlement = {settlement:UInt64} AND w.has_usage
)
WHERE model != '' AND (provider, model) NOT IN (SELECT provider, model FROM model_names WHERE book = {book:String})
