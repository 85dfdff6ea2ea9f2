-- What pandas needs to add up tokens by team, model and day.
SELECT team, request_model, toDate(start_time) AS day, input_tokens, output_tokens FROM spans
