-- Which prices may the calls of this hour have? The names that the models go by in the price book: what the user says a name stands for, else
-- the name itself as people have priced it, else what the list says it means.
-- Where there is: work_calls, work_merged
INSERT INTO work_price_names
SELECT
    {settlement:UInt64} AS settlement,
    n.provider AS provider,
    n.model AS model,
    if(a.price_model != '', [lower(concat(a.price_provider, '/', a.price_model))], arrayDistinct(arrayConcat(
        n.spellings, if(n.price_model != '', [lower(concat(n.price_provider, '/', n.price_model))], [])
    ))) AS names,
    n.standard_tier_only AND a.price_model = '' AS borrowed,
    if(a.price_model != '', concat('stands for ', a.price_provider, '/', a.price_model), n.reason) AS reason
FROM (
    SELECT provider, model, any(spellings) AS spellings, any(price_provider) AS price_provider, any(price_model) AS price_model,
        any(standard_tier_only) AS standard_tier_only, any(reason) AS reason
    FROM model_names
    WHERE book = {book:String} AND (provider, model) GLOBAL IN (
        SELECT provider, arrayJoin([toString(request_model), toString(response_model)]) AS model
        FROM (SELECT DISTINCT provider, request_model, response_model FROM work_calls WHERE settlement = {settlement:UInt64})
    )
    GROUP BY provider, model
) AS n
LEFT ANY JOIN (
    SELECT
        p.provider AS provider, p.model AS model,
        argMax((a.price_provider, a.price_model), (a.tenant != '', a.provider != '', a.set_at, a.price_provider, a.price_model)) AS stands_for,
        stands_for.1 AS price_provider, stands_for.2 AS price_model
    FROM (
        SELECT DISTINCT provider, arrayJoin([toString(request_model), toString(response_model)]) AS model
        FROM work_calls WHERE settlement = {settlement:UInt64}
    ) AS p
    INNER JOIN (SELECT * FROM current_model_aliases WHERE tenant IN ('', {tenant:String})) AS a ON lower(p.model) = a.model
    WHERE a.provider IN ('', lower(p.provider))
    GROUP BY p.provider, p.model
) AS a ON n.provider = a.provider AND n.model = a.model;

-- What does the book say of these names, ever? They are a constant: on a cluster IN, even GLOBAL IN, is asked below the view of prices, on nodes
-- that do not hold them.
INSERT INTO work_boxes
SELECT
    {settlement:UInt64} AS settlement,
    lower(concat(p.provider, '/', p.model)) AS name,
    p.provider AS provider,
    p.model AS model,
    p.item AS item,
    p.unit AS unit,
    toDecimal256(p.quoted, 38) / p.per AS each,
    p.currency AS currency,
    if(p.currency = 'USD', toDecimal128(1, 18), r.usd_per_unit) AS usd_per_unit,
    toUnixTimestamp(p.valid_from) AS first_second,
    if(isNull(p.valid_until), toUInt32(4294967295), toUnixTimestamp(assumeNotNull(p.valid_until))) AS last_second,
    p.day_from_s AS day_from_s,
    p.day_until_s AS day_until_s,
    p.min_quantity AS min_quantity,
    p.max_quantity AS max_quantity,
    if(p.variant = '', lower(p.service_tier), splitByChar('=', toString(p.variant))[-1]) AS service_tier,
    p.batch AS batch,
    p.region AS region,
    p.account AS account,
    p.precedence = 'own' AS own,
    (toInt8(p.precedence), p.tenant != '') AS rank,
    p.valid_from AS valid_from,
    p.added_at AS added_at,
    p.price_id AS price_id,
    p.version AS version
FROM current_prices AS p
LEFT ANY JOIN (
    SELECT currency, toNullable(argMax(usd_per_unit, (day, set_at))) AS usd_per_unit
    FROM exchange_rates
    WHERE day <= toDate({window:DateTime('UTC')}) AND last_day >= toDate({window:DateTime('UTC')})
    GROUP BY currency
) AS r ON p.currency = r.currency
WHERE p.category = 'tokens' AND p.tenant IN ('', {tenant:String})
    AND has((SELECT groupUniqArrayArray(names) FROM work_price_names WHERE settlement = {settlement:UInt64}), name);

-- Where within this hour and over the lengths of inputs does a price or a discount change?
INSERT INTO work_price_edges
SELECT
    {settlement:UInt64} AS settlement,
    arraySort(arrayFilter(e -> e > 0, groupUniqArrayArray(quantities))) AS quantities,
    arraySort(arrayFilter(
        e -> e > toUInt32({window:DateTime('UTC')}) AND e < toUInt32({window:DateTime('UTC')}) + 3600, groupUniqArrayArray(seconds)
    )) AS seconds
FROM (
    SELECT
        [min_quantity, max_quantity] AS quantities,
        [
            first_second, last_second,
            toUInt32(toStartOfDay({window:DateTime('UTC')}, 'UTC')) + day_from_s, toUInt32(toStartOfDay({window:DateTime('UTC')}, 'UTC')) + day_until_s
        ] AS seconds
    FROM work_boxes
    WHERE settlement = {settlement:UInt64}
        AND first_second < toUInt32({window:DateTime('UTC')}) + 3600 AND last_second > toUInt32({window:DateTime('UTC')})
    UNION ALL
    SELECT CAST([], 'Array(Int64)') AS quantities, [toUnixTimestamp(valid_from), ifNull(toUnixTimestamp(valid_until), 0)] AS seconds
    FROM current_discounts
    WHERE tenant IN ('', {tenant:String})
);

-- What do prices tell apart: which model, how asked for, how long an input, when?
INSERT INTO work_price_wanted
WITH
    (SELECT groupUniqArray(name) FROM work_boxes WHERE settlement = {settlement:UInt64}) AS priced_names,
keyed AS (
    SELECT
        cityHash64(call_key, part) AS price_key, said_by, asked_for, answered_by, tier, in_batch, place, payer, quantity,
        if(part = 0, toUInt32({window:DateTime('UTC')}), edges[part]) AS at
    FROM (
        SELECT
            cityHash64(
                provider, request_model, response_model, service_tier, batch, region, account,
                arrayCount(e -> e <= total_input_tokens, (SELECT any(quantities) FROM work_price_edges WHERE settlement = {settlement:UInt64}))
            ) AS call_key,
            any(provider) AS said_by, any(request_model) AS asked_for, any(response_model) AS answered_by, any(service_tier) AS tier,
            any(batch) AS in_batch, any(region) AS place, any(account) AS payer, any(total_input_tokens) AS quantity,
            (SELECT any(seconds) FROM work_price_edges WHERE settlement = {settlement:UInt64}) AS edges
        FROM (
            SELECT * FROM work_calls WHERE settlement = {settlement:UInt64}
            UNION ALL
            SELECT * FROM work_merged WHERE settlement = {settlement:UInt64}
        )
        GROUP BY call_key
    )
    ARRAY JOIN range(toUInt64(length(edges) + 1)) AS part
)
SELECT
    {settlement:UInt64} AS settlement,
    k.price_key AS price_key, k.said_by AS said_by, k.asked_for AS asked_for, k.answered_by AS answered_by, k.tier AS tier, k.in_batch AS in_batch,
    k.place AS place, k.payer AS payer, k.quantity AS quantity, k.at AS at,
    if(arrayExists(n -> has(priced_names, n), r.names), r.names, q.names) AS names,
    if(arrayExists(n -> has(priced_names, n), r.names), r.borrowed, q.borrowed) AS is_borrowed,
    multiIf(arrayExists(n -> has(priced_names, n), r.names), r.reason, arrayExists(n -> has(priced_names, n), q.names) OR q.reason != '', q.reason, r.reason) AS name_reason
FROM keyed AS k
LEFT ANY JOIN (SELECT * FROM work_price_names WHERE settlement = {settlement:UInt64}) AS r
    ON k.said_by = r.provider AND k.answered_by = r.model
LEFT ANY JOIN (SELECT * FROM work_price_names WHERE settlement = {settlement:UInt64}) AS q
    ON k.said_by = q.provider AND k.asked_for = q.model;

-- Which boxes hold? Those for batches and for the service tier before the usual, people's before lists', of people's those of a time of day or a length before
-- those of all, newer ones before older.
INSERT INTO work_price_found
SELECT
    {settlement:UInt64} AS settlement,
    price_key, item,
    p.1 AS unit, p.2 AS each, p.3 AS currency, p.4 AS usd_per_unit, p.5 AS price_id, p.6 AS version, p.7 AS provider, p.8 AS model, p.9 AS own,
    p.10 AS service_tier, p.11 AS batch, said_provider, said_models, payer, at
FROM (
    SELECT
        n.price_key AS price_key,
        b.item AS item,
        any(n.said_by) AS said_provider,
        any([lower(n.asked_for), lower(n.answered_by)]) AS said_models,
        any(n.payer) AS payer,
        any(n.at) AS at,
        argMax(
            (b.unit, b.each, b.currency, b.usd_per_unit, b.price_id, b.version, b.provider, b.model, b.own, b.service_tier, b.batch),
            (
                b.batch, b.service_tier != '', b.rank, -n.choice, b.account != '', b.region != '',
                b.own AND b.day_until_s - b.day_from_s < 86400, b.own AND (b.min_quantity > 0 OR b.max_quantity < 1000000000000000000),
                b.valid_from, b.added_at, b.price_id
            )
        ) AS p
    FROM (SELECT *, name, choice FROM work_price_wanted ARRAY JOIN names AS name, arrayEnumerate(names) AS choice WHERE settlement = {settlement:UInt64}) AS n
    INNER JOIN (SELECT * FROM work_boxes WHERE settlement = {settlement:UInt64}) AS b ON n.name = b.name
    WHERE b.first_second <= n.at AND n.at < b.last_second AND b.day_from_s <= n.at % 86400 AND n.at % 86400 < b.day_until_s
        AND b.min_quantity <= n.quantity AND n.quantity < b.max_quantity
        AND b.service_tier IN ('', n.tier) AND (n.in_batch OR NOT b.batch) AND b.region IN ('', n.place) AND b.account IN ('', n.payer)
        AND NOT (n.is_borrowed AND NOT b.own AND (b.batch OR b.service_tier != ''))
    GROUP BY n.price_key, b.item
);

-- What is the price of each item, for all calls that prices cannot tell apart? A discount comes off list prices only.
-- A part without a price of its own is billed as what it is part of. A fee for each request is that of the model whose prices these are, not of another that goes by one
-- of its names.
INSERT INTO work_price_keys
WITH
    [
        ('input', ['input']),
        ('input_audio', ['input_audio', 'input']),
        ('input_image', ['input_image', 'input']),
        ('input_video', ['input_video', 'input']),
        ('cache_read', ['cache_read', 'input']),
        ('cache_read_audio', ['cache_read_audio', 'input_audio', 'cache_read', 'input']),
        ('cache_read_image', ['cache_read_image', 'input_image', 'cache_read', 'input']),
        ('cache_read_video', ['cache_read_video', 'input_video', 'cache_read', 'input']),
        ('cache_write', ['cache_write', 'input']),
        ('cache_write_1h', ['cache_write_1h', 'cache_write', 'input']),
        ('output', ['output']),
        ('output_audio', ['output_audio', 'output']),
        ('output_image', ['output_image', 'output']),
        ('output_video', ['output_video', 'output']),
        ('reasoning', ['reasoning', 'output'])
    ] AS chains,
    arrayMap(c -> c.1, chains) AS parts,
    toDate({window:DateTime('UTC')}) AS today,
    (SELECT groupUniqArray(name) FROM work_boxes WHERE settlement = {settlement:UInt64}) AS priced_names,
lessened AS (
    SELECT
        f.price_key AS price_key, f.item AS item,
        argMax((d.percent, d.discount_id), (d.item != '', d.model != '', d.account != '', d.provider != '', d.category != '', d.tenant != '', d.valid_from, d.discount_id)) AS discount
    FROM (SELECT * FROM work_price_found WHERE settlement = {settlement:UInt64}) AS f
    INNER JOIN (SELECT *, 1 AS one FROM current_discounts WHERE tenant IN ('', {tenant:String}) AND category IN ('', 'tokens')) AS d ON d.one = 1
    WHERE NOT f.own AND d.item IN ('', f.item) AND d.account IN ('', f.payer)
        AND d.provider IN ('', lower(f.provider), lower(f.said_provider)) AND (d.model IN ('', lower(f.model)) OR has(f.said_models, d.model))
        AND toUnixTimestamp(d.valid_from) <= f.at AND (isNull(d.valid_until) OR f.at < toUnixTimestamp(assumeNotNull(d.valid_until)))
    GROUP BY f.price_key, f.item
),
book AS (
    SELECT
        f.price_key AS price_key,
        groupArray(f.item) AS own_items,
        groupArray((
            f.unit,
            multiplyDecimal(f.each, toDecimal256(100 - l.discount.1, 38) / 100, 38) AS net,
            f.currency,
            multiplyDecimal(net, toDecimal256(ifNull(f.usd_per_unit, 0), 38), 38),
            f.price_id,
            f.version,
            if(l.discount.1 = 0, '', concat(', less ', toString(l.discount.1), ' % (', l.discount.2, ')')),
            if(isNull(f.usd_per_unit), concat('no exchange rate for ', f.currency, ' of ', toString(today)), '')
        )) AS own_prices,
        any(f.provider) AS price_provider,
        any(f.model) AS price_model,
        max(f.service_tier != '') AS tier_priced,
        max(f.batch) AS batch_priced,
        anyIf(f.each, f.item = 'cache_read') < anyIf(f.each, f.item = 'input') AND countIf(f.item = 'cache_read') > 0 AS cache_is_cheaper
    FROM (
        SELECT *
        FROM work_price_found
        WHERE settlement = {settlement:UInt64} AND (
            item != 'request' OR own
            OR (price_key, provider, model) IN (SELECT price_key, provider, model FROM work_price_found WHERE settlement = {settlement:UInt64} AND item != 'request')
            OR price_key NOT IN (SELECT price_key FROM work_price_found WHERE settlement = {settlement:UInt64} AND item != 'request')
        )
    ) AS f
    LEFT ANY JOIN lessened AS l ON f.price_key = l.price_key AND f.item = l.item
    GROUP BY f.price_key
)
SELECT
    {settlement:UInt64} AS settlement,
    n.price_key AS price_key,
    if(b.price_model != '', b.price_provider, splitByChar('/', priced_name)[1]) AS price_provider,
    if(b.price_model != '', b.price_model, substring(priced_name, position(priced_name, '/') + 1)) AS price_model,
    priced_name != '' AS known,
    arrayStringConcat(arrayFilter(note -> note != '', [
        if(known AND startsWith(name_reason, 'unknown model'), '', name_reason),
        if(NOT known AND name_reason = '' AND notEmpty(names), concat('the price list names ', names[-1], ' without a price'), ''),
        if(known AND n.in_batch AND NOT b.batch_priced, 'batches have no price of their own: priced as standard', ''),
        if(known AND n.tier NOT IN ('', 'default', 'standard', 'auto', 'on_demand', 'batch', 'not_available') AND NOT b.tier_priced,
            concat('service tier ', n.tier, ' has no price of its own: priced as standard'), '')
    ]), '; ') AS reason,
    b.cache_is_cheaper AS cache_is_cheaper,
    arrayMap(f -> f.1, b.priced_as) AS items,
    arrayMap(
        (f, p) -> (p.1, p.2, p.3, p.4, p.5, p.6, concat('counted on the span of the call', if(f.1 = f.2, '', concat(', at the price of ', f.2)), p.7), p.8),
        b.priced_as, arrayMap(f -> b.own_prices[indexOf(b.own_items, f.2)], b.priced_as)
    ) AS prices
FROM (SELECT *, arrayFirst(m -> has(priced_names, m), names) AS priced_name FROM work_price_wanted WHERE settlement = {settlement:UInt64}) AS n
LEFT ANY JOIN (
    SELECT
        *,
        arrayConcat(
            arrayFilter(f -> f.2 != '', arrayMap(c -> (c.1, arrayFirst(i -> has(own_items, i), c.2)), chains)),
            arrayMap(i -> (toString(i), toString(i)), arrayFilter(i -> NOT has(parts, i), own_items))
        ) AS priced_as
    FROM book
) AS b ON n.price_key = b.price_key;

-- A place for each of these prices, by which calls and lines name it.
INSERT INTO work_price_places
SELECT
    {settlement:UInt64} AS settlement,
    toUInt32(row_number() OVER (ORDER BY price_key, item) + 1) AS place,
    price_key,
    item,
    price.unit AS unit,
    price.each AS each,
    price.currency AS currency,
    price.each_usd AS each_usd,
    price.price_id AS price_id,
    price.price_version AS price_version,
    price.method AS method,
    price.missing AS missing
FROM (
    SELECT price_key, arrayJoin(arrayZip(items, prices)) AS priced, priced.1 AS item, priced.2 AS price
    FROM work_price_keys
    WHERE settlement = {settlement:UInt64}
)
