SELECT
    json_extract(attributes, '$."tollbook.team"') AS team,
    json_extract(attributes, '$."gen_ai.request.model"') AS request_model,
    started / 86400 AS day,
    sum(CAST(json_extract(attributes, '$."gen_ai.usage.input_tokens"') AS INTEGER)) AS input,
    sum(CAST(json_extract(attributes, '$."gen_ai.usage.output_tokens"') AS INTEGER)) AS output,
    count(*) AS calls
FROM spans
GROUP BY team, request_model, day
