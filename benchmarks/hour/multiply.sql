-- The spans that are there once more, with ids of their own. They keep their times, so that all fall into the same hour.
INSERT INTO spans
SELECT * REPLACE (
    reinterpretAsFixedString(sipHash128(trace_id, {copy:UInt32})) AS trace_id,
    reinterpretAsFixedString(sipHash64(span_id, {copy:UInt32})) AS span_id,
    reinterpretAsFixedString(sipHash64(parent_span_id, {copy:UInt32})) AS parent_span_id,
    if(response_id = '', '', concat('chatcmpl-', lower(hex(sipHash128(response_id, {copy:UInt32}))))) AS response_id,
    received_at + {copy:UInt32} AS received_at
)
FROM (SELECT * FROM spans WHERE received_at = {received_at:DateTime('UTC')})
