-- The same from attributes in a map, as OpenTelemetry's own table holds them.
SELECT
    SpanAttributes['tollbook.team'] AS team,
    SpanAttributes['gen_ai.request.model'] AS request_model,
    toDate(Timestamp) AS day,
    sum(toInt64OrZero(SpanAttributes['gen_ai.usage.input_tokens'])) AS input,
    sum(toInt64OrZero(SpanAttributes['gen_ai.usage.output_tokens'])) AS output,
    count() AS calls
FROM stock.otel_traces
WHERE notEmpty(SpanAttributes['gen_ai.request.model'])
GROUP BY team, request_model, day
ORDER BY team, request_model, day
