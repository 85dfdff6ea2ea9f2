-- Which accelerators were paid for, for how long, and what did they cost in that time?
-- A device is there from the first to the last fact of itself, of who has it, or of its machine. Its price is its part of what its machine's rate pays for
-- accelerators; else what was paid ahead for its model, by time; else, or beyond that, the price book's, each price for its time,
-- less the discount that a list's price has. It is never paid twice. Without a price its cost is unknown.
-- A name such as H100 stands for the model whatever its memory and form; one that names more of them is heard first. No other part may differ.
-- Where there is: work_held_spans, work_device_samples, work_energy, work_commitments
INSERT INTO work_devices
WITH
    (
        SELECT arrayReverseSort(d -> d.1, groupArray((
            (item != '', model != '', account != '', provider != '', category != '', tenant != '', valid_from, discount_id),
            toString(provider), model, toString(item), toString(account), toUnixTimestamp(valid_from),
            if(isNull(valid_until), toUInt32(4294967295), toUnixTimestamp(assumeNotNull(valid_until))),
            toDecimal256(100 - percent, 11) / 100,
            concat(', less ', toString(percent), ' % (', discount_id, ')')
        )))
        FROM current_discounts
        WHERE tenant IN ('', {tenant:String}) AND category IN ('', 'accelerator') AND percent != 0
    ) AS discounts,
    name -> arraySort(arrayFilter(
        word -> word NOT IN ('', 'nvidia', 'amd', 'intel', 'google', 'aws', 'amazon', 'habana', 'tesla', 'instinct', 'gpu', 'cloud'),
        splitByRegexp('[^a-z0-9.]+', lower(name))
    )) AS words_of,
    (told, priced) -> arrayStringConcat(told) = arrayStringConcat(priced) OR (notEmpty(priced) AND hasAll(told, priced) AND arrayAll(
        word -> has(priced, word) OR match(word, '^([0-9]+gi?b|hbm[0-9][a-z]*|gddr[0-9][a-z]*|sxm[0-9]*|pcie|oam|mig|[0-9]+g[.][0-9]+gb)$'), told
    )) AS stands_for,
slices AS (
    SELECT device, sum(parts) AS parts FROM work_slices WHERE settlement = {settlement:UInt64} GROUP BY device
),
told AS (
    SELECT
        device, max(t.model) AS model, if(max(t.spans_host) != '', max(t.spans_host), max(t.host)) AS host, max(t.region) AS region, min(t.since_ns) AS since_ns, max(t.until_ns) AS until_ns,
        maxOrNull(t.busy_ratio) AS busy_ratio
    FROM (
        SELECT
            device, max(w.model) AS model, max(w.host) AS host, max(w.host) AS spans_host, max(w.region) AS region, min(w.start_ns) AS since_ns,
            max(w.end_ns) AS until_ns, NULL AS busy_ratio
        FROM work_held_spans AS w
        WHERE settlement = {settlement:UInt64}
        GROUP BY device
        UNION ALL
        SELECT device, '' AS model, '' AS host, '' AS spans_host, '' AS region, min(start_ns) AS since_ns, max(end_ns) AS until_ns, NULL AS busy_ratio
        FROM work_holds
        WHERE settlement = {settlement:UInt64}
        GROUP BY device
        UNION ALL
        SELECT device, model, host, '' AS spans_host, '' AS region, since_ns, until_ns, busy_ratio
        FROM work_device_samples
        WHERE settlement = {settlement:UInt64}
        UNION ALL
        SELECT
            device, max(e.model) AS model, max(e.host) AS host, '' AS spans_host, max(e.region) AS region, min(e.first_ns) AS since_ns,
            max(e.last_ns) AS until_ns, NULL AS busy_ratio
        FROM work_energy AS e
        WHERE settlement = {settlement:UInt64} AND NOT startsWith(device, 'cpu:')
        GROUP BY device
    ) AS t
    GROUP BY device
),
-- whose accounts devices are in, where that decides what they cost
accounts AS (
    SELECT h.device AS device, max(s.account) AS account
    FROM (SELECT device, trace_id, span_id FROM work_held_spans WHERE settlement = {settlement:UInt64}) AS h
    INNER JOIN (
        SELECT trace_id, span_id, account FROM work_spans
        WHERE settlement = {settlement:UInt64} AND accelerator_id != '' AND account != '' AND (
            (SELECT count() FROM current_discounts WHERE account != '') > 0
            OR (SELECT count() FROM current_prices WHERE category = 'accelerator' AND account != '') > 0
        )
    ) AS s ON h.trace_id = s.trace_id AND h.span_id = s.span_id
    GROUP BY h.device
),
machines AS (
    SELECT
        *,
        toUnixTimestamp64Nano(first_seen) AS first_ns,
        toUnixTimestamp64Nano(last_seen) AS last_ns
    FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
),
placed AS (
    SELECT
        t.device AS device,
        t.model AS model,
        t.host AS host,
        m.cluster AS cluster,
        t.region AS region,
        o.account AS account,
        t.busy_ratio AS busy_ratio,
        least(t.since_ns, if(m.host = '', t.since_ns, m.first_ns)) AS since_ns,
        greatest(t.until_ns, if(m.host = '', t.until_ns, m.last_ns)) AS until_ns,
        if(m.accelerators > 0, m.accelerator_usd, NULL) AS machine_usd,
        m.rate_id AS rate_id,
        greatest(m.accelerators, count() OVER (PARTITION BY t.host)) AS accelerators,
        row_number() OVER (PARTITION BY t.host ORDER BY t.device) AS place
    FROM told AS t
    LEFT ANY JOIN machines AS m ON t.host = m.host AND t.host != ''
    LEFT ANY JOIN accounts AS o ON t.device = o.device
),
-- which names of the price book and of what was paid ahead stand for which models
models AS (
    SELECT DISTINCT model, words_of(model) AS words FROM placed WHERE model != ''
),
in_book AS (
    SELECT m.model AS model, b.model AS priced_as, length(words_of(b.model)) AS said
    FROM models AS m
    CROSS JOIN (SELECT DISTINCT toString(model) AS model FROM current_prices WHERE category = 'accelerator' AND unit = 'gpu_hour') AS b
    WHERE stands_for(m.words, words_of(b.model))
),
in_advance AS (
    SELECT m.model AS model, argMax(c.covers, (length(words_of(c.covers)), words_of(c.covers), c.covers)) AS covers
    FROM models AS m
    CROSS JOIN (
        SELECT DISTINCT toString(w.covers) AS covers FROM work_commitments AS w
        WHERE w.settlement = {settlement:UInt64} AND w.unit = 'gpu_hour' AND w.capacity > 0
    ) AS c
    WHERE stands_for(m.words, words_of(c.covers))
    GROUP BY m.model
),
offered AS (
    SELECT
        p.device AS device,
        any(p.since_ns) AS first_ns,
        any(p.until_ns) AS last_ns,
        arrayReverseSort(o -> o.1, groupArray((
            (b.precedence, b.tenant != '', b.account != '', n.said, b.region != '', b.valid_from, b.added_at),
            toInt64(toUnixTimestamp(b.valid_from)) * 1000000000,
            if(isNull(b.valid_until), 9223372036854775807, toInt64(toUnixTimestamp(assumeNotNull(b.valid_until))) * 1000000000),
            (b.amount, b.currency, b.price_id, b.version, b.precedence = 'own', lower(b.provider), lower(b.model), b.item),
            x.usd_per_unit
        ))) AS offers,
        arrayDistinct(arraySort(arrayMap(
            at -> greatest(at, first_ns), arrayFilter(at -> at < greatest(last_ns, first_ns + 1), arrayConcat([first_ns], offers.2, offers.3))
        ))) AS begins,
        arrayMap(
            (at, until) -> (arrayFirst(o -> o.2 <= at AND at < o.3, offers) AS offer, toInt256(until - at), offer.5),
            begins, arrayPushBack(arrayPopFront(begins), last_ns)
        ) AS terms
    FROM placed AS p
    INNER JOIN in_book AS n ON p.model = n.model
    INNER JOIN (
        SELECT *
        FROM current_prices
        WHERE category = 'accelerator' AND unit = 'gpu_hour' AND tenant IN ('', {tenant:String})
            AND valid_from < {until:DateTime64(9, 'UTC')} AND (isNull(valid_until) OR valid_until > {window:DateTime('UTC')})
    ) AS b ON n.priced_as = b.model
    LEFT ANY JOIN (
        SELECT currency, usd_per_unit FROM daily_exchange_rates WHERE day = toDate({window:DateTime('UTC')})
        UNION ALL
        SELECT 'USD' AS currency, toDecimal128(1, 18) AS usd_per_unit
    ) AS x ON b.currency = x.currency
    WHERE p.model != '' AND b.region IN ('', p.region) AND b.account IN ('', p.account)
    GROUP BY p.device
),
priced AS (
    SELECT
        device,
        terms[-1].1.4 AS price,
        arrayStringConcat(arrayDistinct(arrayMap(t -> toString(t.1.4.3), terms)), '+') AS price_ids,
        if(arrayUniq(terms.1.4.2) = 1 AND arrayAll(t -> t.3 > 0, terms), terms[-1].3, toDecimal128(0, 18)) AS usd_per_unit,
        arraySum(arrayMap(t -> reinterpret(toDecimal256(t.1.4.1, 18), 'Int256') * t.2, terms)) AS amount_ns
    FROM offered
),
ahead AS (
    SELECT
        d.device AS device, c.usd AS usd, c.ids AS ids,
        sum(toInt256(d.until_ns - d.since_ns)) OVER (PARTITION BY c.ids) AS used_ns,
        greatest(c.capacity_ns, used_ns) AS everything_ns,
        used_ns - least(c.capacity_ns, used_ns) AS beyond_ns
    FROM placed AS d
    INNER JOIN in_advance AS n ON d.model = n.model
    INNER JOIN (
        SELECT
            words_of(w.covers) AS words, argMax(toString(w.covers), w.covers) AS covers, sum(w.amount_usd) AS usd,
            arrayStringConcat(arraySort(groupArray(toString(w.commitment_id))), '+') AS ids,
            toInt256(toDecimal256(sum(w.capacity), 9) * toInt256(3600000000000)) AS capacity_ns
        FROM work_commitments AS w
        WHERE w.settlement = {settlement:UInt64} AND w.unit = 'gpu_hour' AND w.capacity > 0
        GROUP BY words
    ) AS c ON n.covers = c.covers
    WHERE isNull(d.machine_usd) AND d.until_ns > d.since_ns
),
valued AS (
    SELECT
        d.device AS device, d.host AS host, d.cluster AS cluster, d.model AS model, d.busy_ratio AS busy_ratio, d.since_ns AS since_ns,
        d.until_ns AS until_ns, d.machine_usd AS machine_usd, d.rate_id AS rate_id,
        if(d.device LIKE 'MIG-%' AND s.parts > 0, s.parts, greatest(s.parts, 28000000000000000)) AS whole,
        toDecimal128(toDecimal256(ifNull(d.machine_usd, 0), 18) * toInt256(d.place) / toInt256(d.accelerators), 18)
        - toDecimal128(toDecimal256(ifNull(d.machine_usd, 0), 18) * toInt256(d.place - 1) / toInt256(d.accelerators), 18) AS own_usd,
        arrayFirst(
            x -> x.2 IN ('', b.price.6) AND x.3 IN ('', b.price.7, lower(d.model)) AND x.4 IN ('', b.price.8) AND x.5 IN ('', d.account)
                AND x.6 <= toUnixTimestamp({window:DateTime('UTC')}) AND toUnixTimestamp({window:DateTime('UTC')}) < x.7,
            if(b.price.5, [], discounts)
        ) AS less,
        toDecimal128(
            reinterpret(b.amount_ns, 'Decimal256(18)') * if(less.9 = '', toDecimal256(1, 11), less.8) * toInt256(whole)
                / toInt256(greatest(s.parts, 28000000000000000)) / toInt256(3600000000000),
            18
        ) AS book_amount,
        toDecimal128(toDecimal256(book_amount, 18) * toDecimal256(b.usd_per_unit, 18), 18) AS book_usd,
        b.usd_per_unit > 0 AS in_book,
        a.ids AS commitment,
        a.beyond_ns AS beyond_ns,
        toDecimal128(toDecimal256(a.usd, 18) * toInt256(d.until_ns - d.since_ns) / greatest(a.everything_ns, toInt256(1)), 18) AS ahead_usd,
        toDecimal128(toDecimal256(book_usd, 18) * a.beyond_ns / greatest(a.used_ns, toInt256(1)), 18) AS beyond_usd,
        b.price AS price,
        b.price_ids AS price_ids
    FROM placed AS d
    LEFT ANY JOIN slices AS s ON d.device = s.device
    LEFT ANY JOIN priced AS b ON d.device = b.device
    LEFT ANY JOIN ahead AS a ON d.device = a.device
)
SELECT
    {settlement:UInt64} AS settlement,
    device,
    host,
    cluster,
    model,
    busy_ratio,
    whole,
    since_ns,
    until_ns,
    multiIf(
        isNotNull(machine_usd), toNullable(own_usd),
        commitment != '' AND (beyond_ns = 0 OR in_book), ahead_usd + beyond_usd,
        in_book, book_usd,
        NULL
    ) AS usd,
    if(isNotNull(machine_usd) OR commitment != '', ifNull(usd, toDecimal128(0, 18)), book_amount) AS amount,
    if(isNotNull(machine_usd) OR commitment != '', 'USD', toString(price.2)) AS currency,
    multiIf(isNotNull(machine_usd), toString(rate_id), commitment != '', commitment, price_ids) AS price_id,
    if(isNotNull(machine_usd), splitByChar('@', toString(rate_id))[-1], toString(price.4)) AS price_version,
    if(commitment != '' AND isNotNull(usd), ahead_usd, toDecimal128(0, 18)) AS committed_usd,
    if(isNull(machine_usd) AND commitment = '', less.9, '') AS discount
FROM valued;

-- What was paid ahead for accelerators that were not there?
INSERT INTO work_left
WITH borne AS (
    SELECT price_id AS ids, sum(work_devices.committed_usd) AS usd, sum(until_ns - since_ns) AS ns
    FROM work_devices
    WHERE settlement = {settlement:UInt64} AND work_devices.committed_usd > 0
    GROUP BY price_id
),
paid AS (
    SELECT
        arrayStringConcat(arraySort(groupArray(toString(commitment_id))), '+') AS ids, sum(w.amount_usd) AS usd, sum(w.capacity) AS hours,
        max(w.version) AS version
    FROM work_commitments AS w
    WHERE w.settlement = {settlement:UInt64} AND w.unit = 'gpu_hour'
    GROUP BY arraySort(arrayFilter(
        word -> word NOT IN ('', 'nvidia', 'amd', 'intel', 'google', 'aws', 'amazon', 'habana', 'tesla', 'instinct', 'gpu', 'cloud'),
        splitByRegexp('[^a-z0-9.]+', lower(toString(covers)))
    ))
)
SELECT
    {settlement:UInt64} AS settlement,
    'accelerator' AS category,
    concat('commitment:', p.ids) AS resource,
    '' AS node,
    '' AS cluster,
    'unused commitment' AS item,
    'idle' AS allocation,
    toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
    toDecimal128(greatest(toDecimal256(p.hours, 9) - toDecimal256(ifNull(b.ns, 0), 9) / toInt256(3600000000000), toDecimal256(0, 9)), 9) AS quantity,
    'gpu_hour' AS unit,
    p.usd - b.usd AS amount_usd,
    p.ids AS price_id,
    p.version AS price_version,
    'computed' AS basis,
    'what was paid ahead and nobody used' AS method
FROM paid AS p
LEFT ANY JOIN borne AS b ON p.ids = b.ids
WHERE p.usd > b.usd;

INSERT INTO work_resources
SELECT settlement, category, resource, quantity, unit, amount_usd, price_id, price_version, basis
FROM work_left
WHERE settlement = {settlement:UInt64} AND category = 'accelerator' AND item = 'unused commitment'
