-- What does each counted call cost? What the provider says it charged; else what the price book comes to. A cost of 0 for tokens is no
-- cost but an unknown one. By the book a call is priced whole or not at all: if one of its items has no price, it is unpriced and the reason says which.
-- Prices are constants here, looked up by hash: joined to each call and taken into lambdas, they took 12 of 13 us of CPU a call. The first of each
-- array stands for what is not there. Rows are gathered whole: gathered by column, a column that is nearly all defaults, which is stored sparse,
-- comes in another order than the others. Evaluated lazily, branch by branch, it would take twice the CPU.
-- Trace by trace.
-- Where there is: work_calls, work_merged
INSERT INTO work_priced
WITH
    (
        SELECT CAST(groupArray((currency, usd)), 'Map(String, Decimal(38, 18))')
        FROM (
            SELECT toString(currency) AS currency, argMax(usd_per_unit, (day, set_at)) AS usd
            FROM exchange_rates
            WHERE day <= toDate({window:DateTime('UTC')}) AND last_day >= toDate({window:DateTime('UTC')}) AND currency != 'USD'
            GROUP BY currency
            UNION ALL
            SELECT 'USD' AS currency, toDecimal128(1, 18) AS usd
        )
    ) AS rates,
    (
        SELECT (
            arrayConcat([toUInt64(0)], k.1), arrayConcat([''], k.2), arrayConcat([''], k.3), arrayConcat([false], k.4), arrayConcat([''], k.5),
            arrayConcat([false], k.6), arrayConcat([false], k.7), arrayConcat([false], k.8)
        )
        FROM (
            SELECT groupArray((
                price_key, toString(price_provider), toString(price_model), known, reason, cache_is_cheaper, empty(items), has(items, 'request')
            )) AS k
            FROM work_price_keys WHERE settlement = {settlement:UInt64}
        )
    ) AS calls_of,
    (
        SELECT (
            arrayConcat([toUInt64(0)], k.1), arrayConcat([''], k.2), arrayConcat([toDecimal256(0, 38)], k.3), arrayConcat([''], k.4),
            arrayConcat([toDecimal256(0, 38)], k.5), arrayConcat([''], k.6), arrayConcat([''], k.7), arrayConcat([''], k.8), arrayConcat([''], k.9)
        )
        FROM (
            SELECT groupArray((
                cityHash64(price_key, toString(priced)), toString(price.1), price.2, toString(price.3), price.4, toString(price.5),
                toString(price.6), toString(price.7), toString(price.8)
            )) AS k
            FROM work_price_keys
            ARRAY JOIN items AS priced, prices AS price
            WHERE settlement = {settlement:UInt64}
        )
    ) AS price_of,
called AS (
    SELECT
        w.trace_id AS trace_id, w.span_id AS span_id, w.has_usage AS has_usage, w.call_class AS call_class, w.notes AS notes, w.flags AS told_flags,
        w.local_cache_hit AS local_cache_hit,
        ifNull(w.provider_cost, 0) AS reported,
        ifNull(w.provider_cost = 0, false) AND w.has_usage AND NOT w.local_cache_hit AS reported_nothing,
        toString(w.provider_currency) AS reported_in,
        w.request_model = '' AND w.response_model = '' AS nameless,
        CAST(w.buckets, 'Array(Tuple(LowCardinality(String), Int64))') AS counted,
        mapContains(w.buckets, 'request') AS counts_requests,
        s.location = 'in_process'
            OR lower(w.provider) IN {local_providers:Array(String)} AS is_local,
        cityHash64(w.call_key, arrayCount(
            e -> e <= toUnixTimestamp(least(s.start_time, toDateTime64('2106-02-07 05:59:59', 9, 'UTC'))),
            (SELECT any(seconds) FROM work_price_edges WHERE settlement = {settlement:UInt64})
        )) AS price_key
    FROM (SELECT *, cityHash64(
            provider, request_model, response_model, service_tier, batch, region, account,
            arrayCount(e -> e <= total_input_tokens, (SELECT any(quantities) FROM work_price_edges WHERE settlement = {settlement:UInt64}))
        ) AS call_key FROM (
        SELECT *
        FROM work_calls
        WHERE settlement = {settlement:UInt64}
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_merged WHERE settlement = {settlement:UInt64})
        UNION ALL
        SELECT * FROM work_merged WHERE settlement = {settlement:UInt64}
    )) AS w
    INNER JOIN (SELECT trace_id, span_id, start_time, location FROM work_spans WHERE settlement = {settlement:UInt64}) AS s
        ON w.trace_id = s.trace_id AND w.span_id = s.span_id
    WHERE (w.trace_id, w.span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
),
looked_up AS (
    SELECT
        c.*,
        transform(c.price_key, calls_of.1, arrayEnumerate(calls_of.1), toUInt32(1)) AS key_place,
        calls_of.2[key_place] AS price_provider,
        calls_of.3[key_place] AS price_model,
        calls_of.4[key_place] AS known,
        calls_of.5[key_place] AS price_reason,
        calls_of.6[key_place] AS cache_is_cheaper,
        calls_of.7[key_place] AS nothing_priced,
        arrayConcat(c.counted, if(calls_of.8[key_place] AND c.has_usage AND NOT c.counts_requests, [('request', toInt64(1))], [])) AS parts,
        arrayMap(part -> transform(cityHash64(price_key, toString(part.1)), price_of.1, arrayEnumerate(price_of.1), toUInt32(1)), parts) AS places,
        arrayDistinct(arrayFilter(item -> item != '', arrayMap((part, place) -> if(place = 1, toString(part.1), ''), parts, places))) AS without_price,
        arrayDistinct(arrayFilter(missing -> missing != '', arrayMap(place -> price_of.9[place], places))) AS without_rate,
        c.has_usage AND known AND empty(without_price) AND empty(without_rate) AS is_computable,
        arrayMap(
            (part, place) -> (
                part.1, price_of.2[place], part.2,
                toDecimal128(round(price_of.3[place] * part.2, 18), 18), price_of.4[place],
                toDecimal128(round(price_of.5[place] * part.2, 18), 18), price_of.6[place], price_of.7[place], price_of.8[place]
            ),
            if(is_computable, parts, []), if(is_computable, places, [])
        ) AS book_lines,
        arrayFold((sum, line) -> sum + line.6, book_lines, toDecimal128(0, 18)) AS book_usd,
        multiplyDecimal(c.reported, rates[c.reported_in], 18) AS reported_usd,
        c.reported > 0 AND reported_usd = 0 AS no_rate,
        reported_usd > 0 AND NOT c.local_cache_hit AND NOT c.is_local AS by_provider
    FROM called AS c
),
split AS (
    SELECT
        *,
        arrayFilter(line -> line.6 > 0, if(by_provider AND book_usd > 0, book_lines, [])) AS weights,
        arrayMap(
            line -> (divideDecimal(multiplyDecimal(reported, line.6, 38), book_usd, 18), divideDecimal(multiplyDecimal(reported_usd, line.6, 38), book_usd, 18)),
            weights
        ) AS shares,
        arrayFold((sum, share) -> (sum.1 + share.1, sum.2 + share.2), shares, (toDecimal256(0, 18), toDecimal256(0, 18))) AS shared
    FROM looked_up
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    multiIf(
        is_local, 'local',
        local_cache_hit OR by_provider, 'priced',
        NOT has_usage, 'no_tokens',
        is_computable, 'priced',
        'unpriced'
    ) AS price_status,
    multiIf(
        price_status = 'local', 'runs on own machines: its cost is their compute time',
        price_status = 'no_tokens', 'reports no token counts',
        price_status = 'unpriced' AND nameless, 'names no model',
        price_status = 'unpriced' AND NOT known, price_reason,
        price_status = 'unpriced' AND nothing_priced, concat('no price for ', price_provider, '/', price_model, ' at the time of the call'),
        price_status = 'unpriced' AND notEmpty(without_price), concat('no price for ', arrayStringConcat(without_price, ', '), ' of ', price_provider, '/', price_model),
        price_status = 'unpriced', arrayStringConcat(without_rate, ', '),
        arrayStringConcat(arrayFilter(note -> note != '', arrayConcat([
            if(local_cache_hit, 'answered from a cache of one''s own: nothing to pay', ''),
            if(call_class = 'rollup', 'taken from a roll-up: no call below it tells of tokens', ''),
            if(by_provider, if(is_computable AND abs(reported_usd - book_usd) * 100 > book_usd, concat('the price book comes to ', toString(book_usd), ' USD'), ''), price_reason),
            if(reported_nothing, 'a reported cost of 0 is read as unknown', ''),
            if(no_rate, concat('the reported cost is not read: no exchange rate for ', reported_in, ' of ', toString(toDate({window:DateTime('UTC')}))), ''),
            if(has(told_flags, 'cache_share_unknown') AND cache_is_cheaper AND NOT by_provider, 'cached share not reported: an upper bound', '')
        ], notes)), '; ')
    ) AS reason,
    price_provider,
    price_model,
    multiIf(by_provider, 'provider', has(told_flags, 'estimated'), 'estimated', 'computed') AS basis,
    if(reported_usd > 0, toNullable(reported_usd), NULL) AS provider_cost_usd,
    if(is_computable, toNullable(book_usd), NULL) AS computed_usd,
    arrayFilter(flag -> flag != '', [if(reported_nothing, 'reported_cost_zero', ''), if(no_rate, 'reported_cost_without_rate', '')]) AS flags,
    multiIf(
        price_status != 'priced' OR local_cache_hit, [],
        NOT by_provider, book_lines,
        empty(weights), [('reported', 'request', toInt64(1), reported, reported_in, reported_usd, 'reported', '', 'as the provider reports it')],
        arrayMap(
            (line, share, place) -> (
                line.1, line.2, line.3,
                toDecimal128(share.1 + if(place = 1, reported - shared.1, 0), 18), reported_in,
                toDecimal128(share.2 + if(place = 1, reported_usd - shared.2, 0), 18), 'reported', '', 'as the provider reports it, split as the price book splits it'
            ),
            weights, shares, arrayEnumerate(weights)
        )
    ) AS lines
FROM split
SETTINGS max_block_size = 8192, short_circuit_function_evaluation = 'disable'
