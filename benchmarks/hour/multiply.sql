-- The spans that were loaded once more, with ids of their own, as many seconds later as asked. All but one in so many are no calls of models any more.
INSERT INTO spans
SELECT * EXCEPT is_call REPLACE (
    reinterpretAsFixedString(sipHash128(trace_id, {copy:UInt32})) AS trace_id,
    reinterpretAsFixedString(sipHash64(span_id, {copy:UInt32})) AS span_id,
    reinterpretAsFixedString(sipHash64(parent_span_id, {copy:UInt32})) AS parent_span_id,
    start_time + INTERVAL {later_s:UInt32} SECOND AS start_time,
    received_at + {copy:UInt32} AS received_at,
    if(is_call, name, 'GET /documents') AS name,
    if(is_call, operation_name, '') AS operation_name,
    if(is_call, provider_name, '') AS provider_name,
    if(is_call, request_model, '') AS request_model,
    if(is_call, response_model, '') AS response_model,
    if(is_call AND response_id != '', concat('chatcmpl-', lower(hex(sipHash128(response_id, {copy:UInt32})))), '') AS response_id,
    if(is_call, finish_reasons, []) AS finish_reasons,
    if(is_call, input_tokens, NULL) AS input_tokens,
    if(is_call, output_tokens, NULL) AS output_tokens,
    if(is_call, cache_read_tokens, NULL) AS cache_read_tokens
)
FROM (
    SELECT *, sipHash64(span_id, {copy:UInt32}) % {calls_in:UInt32} = 0 AS is_call
    FROM spans
    WHERE received_at = {received_at:DateTime('UTC')}
)
