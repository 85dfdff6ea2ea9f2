-- What did calls without a price use, and of which model of which provider? By the names of the price list where it knows them, else as telemetry says it.
-- Trace by trace.
-- Where there is: work_unpriced
INSERT INTO work_unpriced_lines
SELECT
    {settlement:UInt64} AS settlement,
    w.trace_id AS trace_id,
    w.span_id AS span_id,
    p.start_time AS start_time,
    concat(seller, '/', if(p.price_model != '', toString(p.price_model), if(w.response_model != '', toString(w.response_model), toString(w.request_model)))) AS resource,
    if(p.price_provider != '', toString(p.price_provider), multiIf(
        match(lower(w.provider), 'azure'), 'azure',
        match(lower(w.provider), 'bedrock|^aws'), 'aws',
        match(lower(w.provider), '^(gcp|google)|vertex'), 'google',
        replaceRegexpAll(lower(w.provider), '[^a-z0-9]+', '-')
    )) AS seller,
    p.account AS account,
    p.waste AS waste,
    part.1 AS item,
    multiIf(
        match(item, '^(input|cache_read|cache_write|output|reasoning|citation)(_(audio|image|video|tool|1h))?$'), 'token',
        match(item, '_(search|second|page|character|execution)$'), extract(item, '[a-z]+$'),
        item
    ) AS unit,
    part.2 AS quantity,
    place = 1 AS calls
FROM (
    SELECT trace_id, span_id, provider, request_model, response_model, buckets
    FROM work_calls
    WHERE settlement = {settlement:UInt64}
        AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_unpriced WHERE settlement = {settlement:UInt64})
        AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_merged WHERE settlement = {settlement:UInt64})
    UNION ALL
    SELECT trace_id, span_id, provider, request_model, response_model, buckets
    FROM work_merged
    WHERE settlement = {settlement:UInt64}
        AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_unpriced WHERE settlement = {settlement:UInt64})
) AS w
INNER JOIN (
    SELECT trace_id, span_id, start_time, price_provider, price_model, account, waste
    FROM work_priced
    WHERE settlement = {settlement:UInt64}
        AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_unpriced WHERE settlement = {settlement:UInt64})
) AS p ON w.trace_id = p.trace_id AND w.span_id = p.span_id
ARRAY JOIN
    if(empty(w.buckets), [('request', toInt64(1))], arraySort(CAST(w.buckets, 'Array(Tuple(String, Int64))'))) AS part,
    arrayEnumerate(if(empty(w.buckets), [('request', toInt64(1))], CAST(w.buckets, 'Array(Tuple(String, Int64))'))) AS place;

-- How much of it could a bill name?
INSERT INTO estimates_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    'tokens' AS category,
    resource,
    provider,
    account,
    unit,
    sum(used) AS quantity,
    toDecimal128(0, 9) AS seen,
    toDecimal128(0, 18) AS amount_usd,
    if(unit = 'token', quantity, toDecimal128(0, 9)) AS unpriced_tokens,
    sum(calls) AS unpriced_calls
FROM (SELECT resource, provider, account, unit, toDecimal128(l.quantity, 9) AS used, calls FROM work_unpriced_lines AS l WHERE settlement = {settlement:UInt64})
GROUP BY resource, provider, account, unit
