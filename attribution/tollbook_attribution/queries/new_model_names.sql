-- Which model names of this settlement has the price list not been asked about yet?
SELECT DISTINCT provider, arrayJoin([toString(request_model), toString(response_model)]) AS model
FROM (SELECT DISTINCT provider, request_model, response_model FROM work_calls WHERE settlement = {settlement:UInt64})
WHERE model != '' AND (provider, model) NOT IN (SELECT provider, model FROM model_names WHERE book = {book:String})
