-- What does each counted call cost? What the provider says it charged; else what the price book comes to; else what the client worked out. A cost of 0 for tokens is no
-- cost but an unknown one. By the book a call is priced whole or not at all: if one of its items has no price, it is unpriced and the reason says which.
-- Where a count was unreadable, what the others come to is a lower bound: it is in the ledger, and the call is unpriced all the same.
-- Prices are constants here, looked up by hash: joined to each call and taken into lambdas, they took 12 of 13 us of CPU a call. The first of each
-- array stands for what is not there. A line names its price by its place, as the ledger needs it only once. Rows are gathered whole: gathered by
-- column, a column that is nearly all defaults, which is stored sparse, comes in another order than the others. Evaluated lazily, branch by branch,
-- it would take twice the CPU; what few rows need is worked out in a lambda over an array that is empty for all others. Amounts take 256 bits only
-- where a price of the hour has more than 18 digits.
-- Trace by trace.
-- Where there is: work_calls, work_merged
INSERT INTO work_priced (
    settlement, trace_id, span_id, start_time, account, price_status, reason, price_provider, price_model, basis, provider_cost_usd, computed_usd, cost_usd, flags,
    waste, booked, reported
)
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
            arrayConcat([false], k.6), arrayConcat([false], k.7), arrayConcat([false], k.8), arrayConcat([false], arrayMap(said -> said != '', k.5))
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
            arrayConcat([toUInt64(0)], k.1), arrayConcat([toDecimal256(0, 38)], k.2), arrayConcat([toDecimal256(0, 38)], k.3), arrayConcat([''], k.4),
            arrayMap(each -> toDecimal128(each, 18), arrayConcat([toDecimal256(0, 38)], k.2)),
            arrayMap(each -> toDecimal128(each, 18), arrayConcat([toDecimal256(0, 38)], k.3)),
            arrayExists(each -> each != toDecimal256(toDecimal128(each, 18), 38), arrayConcat(k.2, k.3)),
            arrayConcat([''], k.5), arrayConcat([''], k.6), arrayConcat([false], k.7)
        )
        FROM (
            SELECT groupArray((
                cityHash64(price_key, toString(item)), each, each_usd, missing, toString(unit), toString(item),
                match(item, 'audio$|^output_(image|video)$') AND match(method, 'at the price of (input|cache_read|output)(,|$)')
            )) AS k
            FROM (SELECT * FROM work_price_places WHERE settlement = {settlement:UInt64} ORDER BY place)
        )
    ) AS price_of,
    price_of.7 AS is_fine,
    (SELECT max(ifNull(provider_cost > 0, false)) FROM work_calls WHERE settlement = {settlement:UInt64}) AS is_reported,
called AS (
    SELECT
        w.trace_id AS trace_id, w.span_id AS span_id, w.start_time AS start_time, w.account_of_span AS account, t.waste AS waste, w.has_usage AS has_usage,
        w.call_class AS call_class, w.notes AS notes, w.flags AS told_flags,
        w.local_cache_hit AS local_cache_hit,
        ifNull(w.provider_cost, 0) AS told_cost,
        ifNull(w.provider_cost = 0, false) AND w.has_usage AND NOT w.local_cache_hit AS reported_nothing,
        toString(w.provider_currency) AS told_in,
        w.request_model = '' AND w.response_model = '' AS nameless,
        CAST(w.buckets, 'Array(Tuple(LowCardinality(String), Int64))') AS counted,
        mapContains(w.buckets, 'request') AS counts_requests,
        w.location = 'in_process'
            OR lower(w.provider) IN {local_providers:Array(String)} AS is_local,
        cityHash64(w.call_key, arrayCount(
            e -> e <= toUnixTimestamp(least(w.start_time, toDateTime64('2106-02-07 05:59:59', 9, 'UTC'))),
            (SELECT any(seconds) FROM work_price_edges WHERE settlement = {settlement:UInt64})
        )) AS price_key,
        (w.trace_id, w.span_id) IN (SELECT trace_id, span_id FROM work_committed WHERE settlement = {settlement:UInt64}) AS is_committed
    FROM (SELECT *, cityHash64(
            provider, request_model, response_model, service_tier, batch, region, account,
            arrayCount(e -> e <= total_input_tokens, (SELECT any(quantities) FROM work_price_edges WHERE settlement = {settlement:UInt64}))
        ) AS call_key FROM (
        SELECT *
        FROM work_calls
        WHERE settlement = {settlement:UInt64} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_merged WHERE settlement = {settlement:UInt64})
        UNION ALL
        SELECT m.* EXCEPT (start_time, location, account_of_span), s.start_time AS start_time, s.location AS location, s.account AS account_of_span
        FROM (SELECT * FROM work_merged WHERE settlement = {settlement:UInt64}) AS m
        INNER JOIN (
            SELECT trace_id, span_id, start_time, location, account FROM work_spans
            WHERE settlement = {settlement:UInt64}
                AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_merged WHERE settlement = {settlement:UInt64})
        ) AS s ON m.trace_id = s.trace_id AND m.span_id = s.span_id
    )) AS w
    LEFT ANY JOIN (SELECT trace_id, span_id, waste FROM work_attempts WHERE settlement = {settlement:UInt64}) AS t
        ON w.trace_id = t.trace_id AND w.span_id = t.span_id
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
        calls_of.9[key_place] AS has_price_reason,
        arrayConcat(c.counted, if(calls_of.8[key_place] AND c.has_usage AND NOT c.counts_requests, [('request', toInt64(1))], [])) AS parts,
        arrayMap(part -> transform(cityHash64(price_key, toString(part.1)), price_of.1, arrayEnumerate(price_of.1), toUInt32(1)), parts) AS places,
        has(places, 1) AS lacks_price,
        arrayExists(place -> price_of.4[place] != '', places) AS lacks_rate,
        c.has_usage AND notEmpty(parts) AND known AND NOT lacks_price AND NOT lacks_rate AS is_computable,
        arrayMap(
            (part, place) -> (
                place, part.2,
                if(is_fine, toDecimal128(round(price_of.2[place] * part.2, 18), 18), price_of.5[place] * part.2),
                if(is_fine, toDecimal128(round(price_of.3[place] * part.2, 18), 18), price_of.6[place] * part.2)
            ),
            parts, places
        ) AS book_lines,
        if(is_computable, arraySum(line -> line.4, book_lines), toDecimal128(0, 18)) AS book_usd,
        multiplyDecimal(c.told_cost, rates[c.told_in], 18) AS reported_usd,
        c.told_cost > 0 AND reported_usd = 0 AS no_rate,
        hasAny(c.told_flags, ['input_unknown', 'output_unknown', 'rounds_beside']) AS is_bound,
        has(c.told_flags, 'cost_of_client') AS is_of_client,
        reported_usd > 0 AND NOT c.local_cache_hit AND NOT c.is_local AND NOT (is_of_client AND is_computable) AS by_provider
    FROM called AS c
),
split AS (
    SELECT
        *,
        arrayFilter(line -> is_reported AND by_provider AND book_usd > 0 AND line.4 > 0, book_lines) AS weights,
        arrayMap(
            line -> (divideDecimal(multiplyDecimal(told_cost, line.4, 38), book_usd, 18), divideDecimal(multiplyDecimal(reported_usd, line.4, 38), book_usd, 18)),
            weights
        ) AS shares,
        (arraySum(share -> share.1, shares), arraySum(share -> share.2, shares)) AS shared,
        NOT is_local AND (local_cache_hit OR by_provider OR is_computable) AS is_priced,
        is_priced AND NOT by_provider AND NOT local_cache_hit AND arrayExists(place -> price_of.10[place], places) AS priced_as_text,
        arrayFilter(line -> is_priced AND NOT by_provider AND NOT local_cache_hit AND NOT is_committed, book_lines) AS booked,
        NOT is_priced OR by_provider OR local_cache_hit OR call_class = 'rollup' OR has_price_reason OR reported_nothing OR no_rate OR notEmpty(notes) OR priced_as_text
        OR (cache_is_cheaper AND has(told_flags, 'cache_share_unknown')) AS has_reason
    FROM looked_up
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    start_time,
    account,
    multiIf(
        is_local, 'local',
        local_cache_hit OR by_provider, 'priced',
        NOT has_usage, 'no_tokens',
        is_computable AND NOT is_bound, 'priced',
        'unpriced'
    ) AS price_status,
    arrayMap(of_few -> multiIf(
        price_status = 'local', 'runs on own machines: its cost is their compute time',
        price_status = 'no_tokens', 'reports no token counts',
        NOT is_priced AND nameless, 'names no model',
        NOT is_priced AND NOT known, price_reason,
        NOT is_priced AND nothing_priced, concat('no price for ', price_provider, '/', price_model, ' at the time of the call'),
        NOT is_priced AND lacks_price, concat(
            'no price for ',
            arrayStringConcat(arrayDistinct(arrayFilter(item -> item != '', arrayMap((part, place) -> if(place = 1, toString(part.1), ''), parts, places))), ', '),
            ' of ', price_provider, '/', price_model
        ),
        NOT is_priced,
        arrayStringConcat(arrayDistinct(arrayFilter(missing -> missing != '', arrayMap(place -> price_of.4[place], places))), ', '),
        arrayStringConcat(arrayFilter(note -> note != '', arrayConcat([
            if(local_cache_hit, 'answered from a cache of one''s own: nothing to pay', ''),
            if(call_class = 'rollup', 'taken from a roll-up: no call below it tells of tokens', ''),
            if(by_provider, if(is_computable AND abs(reported_usd - book_usd) * 100 > book_usd, concat('the price book comes to ', toString(book_usd), ' USD'), ''), price_reason),
            if(priced_as_text, concat(
                arrayStringConcat(arrayMap(place -> price_of.9[place], arrayFilter(place -> price_of.10[place], places)), ', '),
                ' without a price of its own: priced as text'
            ), ''),
            if(reported_nothing, 'a reported cost of 0 is read as unknown', ''),
            if(no_rate, concat('the reported cost is not read: no exchange rate for ', told_in, ' of ', toString(toDate({window:DateTime('UTC')}))), ''),
            if(has(told_flags, 'cache_share_unknown') AND cache_is_cheaper AND NOT by_provider, 'cached share not reported: an upper bound', '')
        ], notes)), '; ')
    ), range(has_reason))[1] AS reason,
    price_provider,
    price_model,
    multiIf(by_provider AND NOT is_of_client, 'provider', by_provider OR has(told_flags, 'estimated'), 'estimated', 'computed') AS basis,
    if(reported_usd > 0, toNullable(reported_usd), NULL) AS provider_cost_usd,
    if(is_computable, toNullable(book_usd), NULL) AS computed_usd,
    multiIf(NOT is_priced OR local_cache_hit, toDecimal128(0, 18), by_provider, toDecimal128(reported_usd, 18), book_usd) AS cost_usd,
    arrayFilter(flag -> flag != '', [
        if(priced_as_text, 'priced_as_text', ''), if(reported_nothing, 'reported_cost_zero', ''), if(no_rate, 'reported_cost_without_rate', '')
    ]) AS flags,
    waste,
    booked,
    if(is_reported, multiIf(
        NOT is_priced OR local_cache_hit OR is_committed OR NOT by_provider, [],
        empty(weights), [(
            'reported', 'request', toInt64(1), told_cost, told_in, reported_usd, if(is_of_client, 'as the client worked it out', 'as the provider reports it')
        )],
        arrayMap(
            (line, share, place) -> (
                price_of.9[line.1], price_of.8[line.1], line.2,
                toDecimal128(share.1 + if(place = 1, told_cost - shared.1, 0), 18), told_in,
                toDecimal128(share.2 + if(place = 1, reported_usd - shared.2, 0), 18), 'as the provider reports it, split as the price book splits it'
            ),
            weights, shares, arrayEnumerate(weights)
        )
    ), []) AS reported
FROM split
SETTINGS max_block_size = 8192, short_circuit_function_evaluation = 'disable'
