-- What does each counted call cost? The price of the model that answered, at the time of the call, at its length and service tier.
-- A call is priced whole or not at all: if one of its buckets has no price, the call is unpriced and the reason says which.
-- Evaluated lazily, branch by branch, it would take twice the CPU.
-- Trace by trace.
INSERT INTO work_priced
WITH names AS (
    SELECT provider, model, any(price_provider) AS price_provider, any(price_model) AS price_model,
        any(standard_tier_only) AS standard_tier_only, any(reason) AS reason
    FROM model_names
    WHERE book = {book:String}
    GROUP BY provider, model
),
boxes AS (
    SELECT
        provider, model,
        groupArray((item, service_tier, toUnixTimestamp(valid_from), toUnixTimestamp(ifNull(valid_until, toDateTime('2106-02-07 06:28:15', 'UTC'))),
            day_from_s, day_until_s, min_quantity, max_quantity, amount, price_id, version)) AS prices
    FROM current_prices
    WHERE category = 'tokens' AND tenant = '' AND currency = 'USD' AND NOT batch AND variant = '' AND region = '' AND account = ''
        AND valid_from < {window:DateTime('UTC')} + INTERVAL 1 HOUR AND (isNull(valid_until) OR valid_until > {window:DateTime('UTC')})
        AND day_from_s < toUInt32({window:DateTime('UTC')}) % 86400 + 3600 AND day_until_s > toUInt32({window:DateTime('UTC')}) % 86400
        AND (provider, model) IN (SELECT price_provider, price_model FROM names)
    GROUP BY provider, model
),
called AS (
    SELECT
        w.trace_id AS trace_id,
        w.span_id AS span_id,
        w.has_usage AS has_usage,
        w.call_class AS call_class,
        w.notes AS notes,
        w.total_input_tokens AS total_input_tokens,
        w.embedding AS embedding,
        isNull(w.cache_read_tokens) AS cache_unknown,
        arrayFilter(part -> part.3 > 0, [
            ('input', 'input tokens', ifNull(w.fresh_tokens, 0), 'input'),
            ('cache_read', 'cached input tokens', ifNull(w.cache_read_tokens, 0), 'input'),
            ('cache_write', 'cache write tokens', ifNull(w.cache_write_tokens, 0), 'input'),
            ('output', 'output tokens', ifNull(w.output_tokens, 0), 'output'),
            ('reasoning', 'reasoning tokens', ifNull(w.reasoning_tokens, 0), 'output')
        ]) AS buckets,
        s.provider AS provider,
        s.request_model AS request_model,
        s.response_model AS response_model,
        s.service_tier AS asked_tier,
        toUnixTimestamp(least(s.start_time, toDateTime64('2106-02-07 05:59:59', 9, 'UTC'))) AS second,
        second % 86400 AS second_of_day,
        s.location = 'in_process'
            OR lower(s.provider) IN ('onnxruntime', 'ollama', 'vllm', 'llama.cpp', 'llama_cpp', 'transformers', 'local') AS is_local
    FROM work_calls AS w
    INNER JOIN work_spans AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
    WHERE w.settlement = {settlement:UInt64} AND s.settlement = {settlement:UInt64}
        AND (w.trace_id, w.span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
),
named AS (
    SELECT
        c.*,
        r.price_provider != '' AS by_response,
        if(by_response, r.price_provider, q.price_provider) AS price_provider,
        if(by_response, r.price_model, q.price_model) AS price_model,
        if(by_response, r.standard_tier_only, q.standard_tier_only) AS standard_tier_only,
        multiIf(by_response, r.reason, q.price_provider != '', q.reason, q.reason != '', q.reason, r.reason) AS name_reason
    FROM called AS c
    LEFT ANY JOIN names AS r ON c.provider = r.provider AND c.response_model = r.model
    LEFT ANY JOIN names AS q ON c.provider = q.provider AND c.request_model = q.model
),
boxed AS (
    SELECT
        n.*,
        arrayFilter(
            p -> p.3 <= n.second AND n.second < p.4 AND p.5 <= n.second_of_day AND n.second_of_day < p.6
                AND p.7 <= n.total_input_tokens AND n.total_input_tokens < p.8,
            box.prices
        ) AS in_force,
        if(NOT n.standard_tier_only AND arrayExists(p -> p.2 = n.asked_tier, in_force), n.asked_tier, '') AS priced_tier,
        arrayConcat(arrayFilter(p -> p.2 = priced_tier, in_force), if(priced_tier = '', [], arrayFilter(p -> p.2 = '', in_force))) AS prices,
        arrayMap(p -> p.1, prices) AS items,
        arrayMap(
            part -> (if(has(items, part.1), part.1, part.4), part.2, part.3),
            arrayConcat(buckets, if(has(items, 'request'), [('request', 'request', toInt64(1), 'request')], []))
        ) AS to_price,
        arrayMap(part -> part.2, arrayFilter(part -> NOT has(items, part.1), to_price)) AS without_price
    FROM named AS n
    LEFT ANY JOIN boxes AS box ON n.price_provider = box.provider AND n.price_model = box.model
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    multiIf(is_local, 'local', NOT has_usage, 'no_tokens', price_model = '' OR notEmpty(without_price), 'unpriced', 'priced') AS price_status,
    multiIf(
        price_status = 'local', 'runs on own machines: its cost is their compute time',
        price_status = 'no_tokens', 'reports no token counts',
        price_status = 'unpriced' AND request_model = '' AND response_model = '', 'names no model',
        price_status = 'unpriced' AND price_model = '', name_reason,
        price_status = 'unpriced' AND empty(items), concat('no price for ', price_provider, '/', price_model, ' at the time of the call'),
        price_status = 'unpriced', concat('no price for ', arrayStringConcat(without_price, ', '), ' of ', price_provider, '/', price_model),
        arrayStringConcat(arrayFilter(note -> note != '', arrayConcat([
            if(call_class = 'rollup', 'taken from a roll-up: no call below it tells of tokens', ''),
            name_reason,
            if(asked_tier NOT IN ('', 'default', 'standard', 'auto') AND priced_tier = '', concat('service tier ', asked_tier, ' has no price of its own: priced as standard'), ''),
            if(cache_unknown AND NOT embedding AND total_input_tokens >= 1024
                AND arrayExists(p -> p.1 = 'cache_read' AND p.9 < prices[indexOf(items, 'input')].9, prices),
                'cached share not reported: an upper bound', '')
        ], notes)), '; ')
    ) AS reason,
    price_provider,
    price_model,
    if(price_status = 'priced', arrayMap(
        part -> (part.2, if(part.1 = 'request', 'request', 'token'), part.3, prices[indexOf(items, part.1)].9 * part.3, prices[indexOf(items, part.1)].10, prices[indexOf(items, part.1)].11),
        to_price
    ), []) AS lines
FROM boxed
SETTINGS max_block_size = 8192, short_circuit_function_evaluation = 'disable'
