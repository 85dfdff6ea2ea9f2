-- What did it cost to hold all copies of assets that there are?
-- The storage of a day is booked in its last hour: bytes x time, by the days of the calendar month (UTC), at the price in force at the
-- day's end, less the discount that a list's price has. Lines are of no request; they have the owners of the copy.
-- Where there is: copies
INSERT INTO storage_settled
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
        WHERE tenant IN ('', {tenant:String}) AND category IN ('', 'storage') AND percent != 0
    ) AS discounts,
    toInt64(toUnixTimestamp(toStartOfDay({window:DateTime('UTC')}))) * 1000000000 AS day_from_ns,
    day_from_ns + 86400000000000 AS day_until_ns,
    toInt64(toDaysInMonth({window:DateTime('UTC')})) * 86400000000000 AS month_ns,
    held AS (
        SELECT
            i.*,
            toUInt64(least(i.until_ns, day_until_ns) - greatest(i.from_ns, day_from_ns)) AS held_ns
        FROM storage_intervals AS i
        WHERE toHour({window:DateTime('UTC')}) = 23 AND i.tenant = {tenant:String} AND i.from_ns < day_until_ns AND i.until_ns > day_from_ns AND i.until_ns > i.from_ns
    ),
    boxes AS (
        SELECT
            lower(provider) AS box_provider, model AS box_class, region AS box_region, account AS box_account,
            argMax(
                (amount, currency, price_id, version, unit, precedence = 'own'),
                (precedence, tenant, region != '', if(precedence = 'own', added_at, retrieved_at))
            ) AS box
        FROM current_prices
        WHERE category = 'storage' AND unit IN ('gb_month', 'gib_month') AND tenant IN ('', {tenant:String}) AND min_quantity = 0 AND variant = ''
            AND valid_from <= {window:DateTime('UTC')} AND (isNull(valid_until) OR valid_until > {window:DateTime('UTC')})
        GROUP BY box_provider, box_class, box_region, box_account
    ),
    rates AS (SELECT currency AS rate_currency, usd_per_unit FROM daily_exchange_rates WHERE day = toDate({window:DateTime('UTC')})),
    priced AS (
        SELECT
            h.*,
            multiIf(of_account.box.3 != '', of_account.box, of_account_anywhere.box.3 != '', of_account_anywhere.box, own.box.3 != '', own.box, any_region.box) AS price,
            arrayFirst(
                d -> d.2 IN ('', h.provider) AND d.3 IN ('', lower(h.storage_class)) AND d.4 IN ('', 'stored') AND d.5 IN ('', h.account)
                    AND d.6 <= toUnixTimestamp({window:DateTime('UTC')}) AND toUnixTimestamp({window:DateTime('UTC')}) < d.7,
                if(price.6, [], discounts)
            ) AS less,
            if(price.2 = 'USD', toDecimal128(1, 18), rates.usd_per_unit) AS usd_per_unit,
            multiIf(
                h.storage_class = '', 'its storage class is not known',
                price.3 = '', concat('no price for ', h.storage_class, ' of ', if(h.provider = '', 'an unknown provider', h.provider)),
                usd_per_unit = 0, concat('no exchange rate for ', price.2, ' on ', toString(toDate({window:DateTime('UTC')}))),
                ''
            ) AS unpriced
        FROM held AS h
        LEFT ANY JOIN (SELECT * FROM boxes WHERE box_account != '') AS of_account
            ON h.provider = of_account.box_provider AND h.storage_class = of_account.box_class AND h.region = of_account.box_region
            AND h.account = of_account.box_account
        LEFT ANY JOIN (SELECT * FROM boxes WHERE box_account != '' AND box_region = '') AS of_account_anywhere
            ON h.provider = of_account_anywhere.box_provider AND h.storage_class = of_account_anywhere.box_class
            AND h.account = of_account_anywhere.box_account
        LEFT ANY JOIN (SELECT * FROM boxes WHERE box_account = '') AS own
            ON h.provider = own.box_provider AND h.storage_class = own.box_class AND h.region = own.box_region
        LEFT ANY JOIN (SELECT * FROM boxes WHERE box_account = '' AND box_region = '') AS any_region
            ON h.provider = any_region.box_provider AND h.storage_class = any_region.box_class
        LEFT ANY JOIN rates
            ON multiIf(
                of_account.box.3 != '', of_account.box.2, of_account_anywhere.box.3 != '', of_account_anywhere.box.2, own.box.3 != '', own.box.2, any_region.box.2
            ) = rates.rate_currency
    )
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    asset_id, location, provider, storage_class, region, bytes, held_ns, told_by, unpriced,
    toDecimal128(toDecimal256(bytes, 18) * toInt256(held_ns) / (toInt256(1000000000) * month_ns), 18) AS gb_months,
    if(unpriced = '', toDecimal128(
        toDecimal256(price.1, 18) * toInt256(bytes) * toInt256(held_ns) * if(less.9 = '', toDecimal256(1, 11), less.8)
            / (if(price.5 = 'gib_month', toInt256(1073741824), toInt256(1000000000)) * month_ns), 18
    ), NULL) AS cost,
    price.2 AS currency,
    if(price.2 = 'USD', cost, toDecimal128(toDecimal256(cost, 18) * toDecimal256(usd_per_unit, 18), 18)) AS cost_usd,
    price.3 AS price_id,
    price.4 AS price_version,
    service_name, workflow, team, project, feature, customer, environment,
    less.9 AS discount,
    account
FROM priced
SETTINGS short_circuit_function_evaluation = 'disable';

INSERT INTO work_lines
SELECT
    {settlement:UInt64} AS settlement,
    toFixedString('', 16) AS trace_id,
    toFixedString(unhex(leftPad(hex(cityHash64(s.asset_id, s.location)), 16, '0')), 8) AS span_id,
    toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
    'shared' AS allocation,
    'storage' AS category,
    s.asset_id AS item,
    concat('storage:', s.provider, '/', s.location) AS resource,
    s.provider AS provider,
    s.account AS account,
    '' AS model,
    toDecimal128(sum(s.gb_months), 9) AS quantity,
    'gb_month' AS unit,
    sum(assumeNotNull(s.cost)) AS amount,
    s.currency AS currency,
    sum(assumeNotNull(s.cost_usd)) AS amount_usd,
    s.price_id AS price_id,
    s.price_version AS price_version,
    'computed' AS basis,
    concat('size x time of the day in ', s.storage_class, if(s.told_by = 'declared', ', as declared', ', as handoffs tell'), s.discount) AS method,
    '' AS waste
FROM storage_settled AS s
WHERE s.tenant = {tenant:String} AND s.window = {window:DateTime('UTC')} AND s.settlement = {settlement:UInt64} AND s.unpriced = ''
GROUP BY s.asset_id, s.location, s.provider, s.account, s.storage_class, s.told_by, s.discount, s.currency, s.price_id, s.price_version;

INSERT INTO work_line_owners (settlement, trace_id, span_id, service_name, workflow, team, project, feature, customer, environment, region)
SELECT
    settlement,
    toFixedString('', 16) AS trace_id,
    toFixedString(unhex(leftPad(hex(cityHash64(asset_id, location)), 16, '0')), 8) AS span_id,
    service_name, workflow, team, project, feature, customer, environment, region
FROM storage_settled
WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND unpriced = ''
