-- Tokens by team, model and day, from the columns of `spans`.
SELECT team, request_model, toDate(start_time) AS day, sum(input_tokens) AS input, sum(output_tokens) AS output, count() AS calls
FROM spans
WHERE notEmpty(request_model)
GROUP BY team, request_model, day
ORDER BY team, request_model, day
