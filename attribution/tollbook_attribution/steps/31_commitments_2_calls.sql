-- Which model calls are paid for ahead? Those of the model, the provider, the account and the region that it names; they have no other price.
-- Where there is: work_commitments
-- Trace by trace.
INSERT INTO work_committed
SELECT
    {settlement:UInt64} AS settlement,
    c.commitment_id AS commitment_id,
    w.trace_id AS trace_id,
    w.span_id AS span_id,
    s.start_time AS start_time,
    toDecimal128(if(c.unit = 'call', 1, greatest(w.tokens, 0)), 9) AS used
FROM (
    SELECT
        trace_id, span_id, models, provider, region, account,
        total_input_tokens + ifNull(output_tokens, 0) + ifNull(reasoning_tokens, 0) AS tokens
    FROM work_calls
    WHERE settlement = {settlement:UInt64} AND has_usage
        AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
) AS w
INNER JOIN (SELECT trace_id, span_id, start_time FROM work_spans WHERE settlement = {settlement:UInt64}) AS s
    ON w.trace_id = s.trace_id AND w.span_id = s.span_id
CROSS JOIN (SELECT * FROM work_commitments WHERE settlement = {settlement:UInt64} AND unit IN ('token', 'call')) AS c
WHERE has(w.models, lower(c.covers))
    AND (c.provider = '' OR lower(c.provider) = lower(w.provider))
    AND (c.region = '' OR c.region = w.region) AND (c.account = '' OR c.account = w.account)
LIMIT 1 BY trace_id, span_id
