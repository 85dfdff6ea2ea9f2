-- What do the spans that tell of one call tell together? The best one's tale; where it has no input or no output, those of the next that has; and what it
-- leaves out besides: the cost that was reported, why the answer ended, the tier. Nothing is added up. The model is that of the best span whose names
-- have a price: a gateway's clients may know a name of its own only. Only where the best one leaves something out.
-- Where there is: work_same_calls
INSERT INTO work_merged (
    settlement, trace_id, span_id, response_id, dialect, call_class, embedding, provider, request_model, response_model, models, has_usage, usage_score, buckets,
    cache_told, total_input_tokens, flags, notes, provider_cost, provider_currency, failed, finish_reasons, local_cache_hit, batch, service_tier, region, account,
    fresh_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens
)
WITH
shared AS (SELECT * FROM work_same_calls WHERE settlement = {settlement:UInt64}),
priced AS (SELECT provider, model FROM model_names WHERE book = {book:String} AND price_provider != ''),
members AS (
    SELECT
        m.call_trace_id AS call_trace_id,
        m.call_span_id AS call_span_id,
        m.place AS place,
        w.trace_id AS trace_id,
        w.span_id AS span_id,
        (w.provider, w.response_model) IN (SELECT provider, model FROM priced) OR (w.provider, w.request_model) IN (SELECT provider, model FROM priced) AS known,
        arraySum(arrayMap((yes, bit) -> yes * bit, [
            arrayExists(k -> startsWith(k, 'input') OR startsWith(k, 'cache'), mapKeys(w.buckets)),
            arrayExists(k -> startsWith(k, 'output') OR k = 'reasoning', mapKeys(w.buckets)),
            known, w.response_id != '', ifNull(w.provider_cost, 0) > 0, notEmpty(w.finish_reasons), w.service_tier != '', w.local_cache_hit, w.batch,
            w.region != '', w.account != ''
        ], [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])) AS tells
    FROM (
        SELECT trace_id, span_id, provider, request_model, response_model, buckets, response_id, provider_cost, finish_reasons, service_tier,
            local_cache_hit, batch, region, account
        FROM work_calls
        WHERE settlement = {settlement:UInt64}
    ) AS w
    INNER JOIN shared AS m ON w.trace_id = m.trace_id AND w.span_id = m.span_id
),
lacking AS (
    SELECT call_trace_id, call_span_id
    FROM members
    GROUP BY call_trace_id, call_span_id
    HAVING groupBitOr(toUInt16(tells)) != argMin(toUInt16(tells), place)
),
told AS (
    SELECT
        m.call_trace_id AS call_trace_id,
        m.call_span_id AS call_span_id,
        m.place AS place,
        m.known AS known,
        w.*,
        mapFilter((k, v) -> startsWith(k, 'input') OR startsWith(k, 'cache'), w.buckets) AS inputs,
        mapFilter((k, v) -> startsWith(k, 'output') OR k = 'reasoning', w.buckets) AS outputs
    FROM (SELECT * FROM work_calls WHERE settlement = {settlement:UInt64}) AS w
    INNER JOIN (
        SELECT * FROM members WHERE (call_trace_id, call_span_id) IN (SELECT call_trace_id, call_span_id FROM lacking)
    ) AS m ON w.trace_id = m.trace_id AND w.span_id = m.span_id
),
together AS (
    SELECT
        argMin(t.trace_id, t.place) AS trace_id,
        argMin(t.span_id, t.place) AS span_id,
        argMinIf(t.response_id, t.place, t.response_id != '') AS response_id,
        argMin(t.dialect, t.place) AS dialect,
        argMin(t.call_class, t.place) AS call_class,
        argMin(t.embedding, t.place) AS embedding,
        argMin((t.provider, t.request_model, t.response_model), (NOT t.known, t.place)) AS names,
        arrayDistinct(arrayFlatten(groupArray(t.models))) AS models,
        max(t.has_usage) AS has_usage,
        argMin(t.usage_score, t.place) AS usage_score,
        argMin(t.buckets, t.place) AS own,
        argMinIf(t.inputs, t.place, notEmpty(t.inputs)) AS inputs,
        argMinIf(t.outputs, t.place, notEmpty(t.outputs)) AS outputs,
        argMinIf(t.cache_told, t.place, notEmpty(t.inputs)) AS cache_told,
        argMinIf(t.total_input_tokens, t.place, notEmpty(t.inputs)) AS total_input_tokens,
        argMin(t.flags, t.place) AS own_flags,
        argMin(t.notes, t.place) AS own_notes,
        argMinIf((t.provider_cost, t.provider_currency), t.place, t.provider_cost > 0) AS reported,
        argMin((t.provider_cost, t.provider_currency), t.place) AS own_reported,
        argMin(t.failed, t.place) AS failed,
        argMinIf(t.finish_reasons, t.place, notEmpty(t.finish_reasons)) AS finish_reasons,
        max(t.local_cache_hit) AS local_cache_hit,
        max(t.batch) AS batch,
        argMinIf(t.service_tier, t.place, t.service_tier != '') AS service_tier,
        argMinIf(t.region, t.place, t.region != '') AS region,
        argMinIf(t.account, t.place, t.account != '') AS account,
        argMinIf(t.fresh_tokens, t.place, notEmpty(t.inputs)) AS fresh_tokens,
        argMinIf(t.cache_read_tokens, t.place, notEmpty(t.inputs)) AS cache_read_tokens,
        argMinIf(t.cache_write_tokens, t.place, notEmpty(t.inputs)) AS cache_write_tokens,
        argMinIf(t.output_tokens, t.place, notEmpty(t.outputs)) AS output_tokens,
        argMinIf(t.reasoning_tokens, t.place, notEmpty(t.outputs)) AS reasoning_tokens
    FROM told AS t
    GROUP BY t.call_trace_id, t.call_span_id
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    response_id,
    dialect,
    call_class,
    embedding,
    names.1 AS provider,
    names.2 AS request_model,
    names.3 AS response_model,
    models,
    has_usage,
    usage_score,
    mapUpdate(mapUpdate(own, inputs), outputs) AS buckets,
    cache_told,
    total_input_tokens,
    arrayFilter(f -> NOT ((f = 'input_unknown' AND notEmpty(inputs)) OR (f = 'output_unknown' AND notEmpty(outputs))), own_flags) AS flags,
    arrayFilter(
        n -> NOT ((startsWith(n, 'input count unreadable') AND notEmpty(inputs)) OR (startsWith(n, 'output count unreadable') AND notEmpty(outputs))), own_notes
    ) AS notes,
    if(reported.1 > 0, reported.1, own_reported.1) AS provider_cost,
    if(reported.1 > 0, reported.2, own_reported.2) AS provider_currency,
    failed,
    finish_reasons,
    local_cache_hit,
    batch,
    service_tier,
    region,
    account,
    fresh_tokens,
    cache_read_tokens,
    cache_write_tokens,
    output_tokens,
    reasoning_tokens
FROM together
