-- Which model calls of the request have no price, and why?
SELECT
    lower(hex(span_id)) AS span_id,
    provider,
    model,
    toString(price_status) AS price_status,
    reason
FROM calls
WHERE trace_id = unhex({trace_id:String}) AND role = 'counted' AND price_status IN ('unpriced', 'no_tokens')
ORDER BY start_time, span_id
