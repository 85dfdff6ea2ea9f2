-- What did services cost that are paid by use? What the span tells, else quantity x the price in force, less the discount that
-- a list's price has; else the reason why nobody knows.
-- A span around another that tells of the same service tells of the same use, so the inner one counts. What a fee pays for has no other price.
-- Where there is: work_services
INSERT INTO services_settled
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
        WHERE tenant IN ('', {tenant:String}) AND category IN ('', 'third_party') AND percent != 0
    ) AS discounts,
    boxes AS (
        SELECT
            lower(provider) AS box_service, item AS box_item,
            groupArray((
                lower(model), region, account,
                toInt64(toUInt8(precedence)) * 4294967296 * 16 + ((tenant != '') * 8 + (account != '') * 4 + (region != '') * 2 + (provider != '')) * 4294967296
                    + toUnixTimestamp(if(precedence = 'own', toDateTime(added_at), retrieved_at)),
                toUnixTimestamp(valid_from), toUnixTimestamp(ifNull(valid_until, toDateTime('2106-02-07 06:28:15', 'UTC'))),
                amount, currency, price_id, version
            )) AS prices
        FROM current_prices
        WHERE category = 'third_party' AND tenant IN ('', {tenant:String}) AND min_quantity = 0 AND variant = '' AND NOT batch
        GROUP BY box_service, box_item
    ),
    tools AS (
        SELECT tool_name, argMax(box_service, prices[1].4) AS tool_service
        FROM (SELECT box_service, prices, arrayJoin(arrayDistinct(arrayMap(p -> p.1, prices))) AS tool_name FROM boxes WHERE box_item = 'request')
        WHERE tool_name != ''
        GROUP BY tool_name
    ),
    rates AS (
        SELECT currency AS rate_currency, day AS rate_day, usd_per_unit FROM daily_exchange_rates
        WHERE day IN (toDate({window:DateTime('UTC')}), toDate({window:DateTime('UTC')}) + 1)
    ),
    used AS (
        SELECT w.*, if(w.service = '', tools.tool_service, w.service) AS paid
        FROM (SELECT * FROM work_services WHERE settlement = {settlement:UInt64}) AS w
        LEFT ANY JOIN tools ON lower(w.product) = tools.tool_name
        WHERE (w.trace_id, w.span_id, w.service) NOT IN (
            SELECT trace_id, parent_span_id, service FROM work_services WHERE settlement = {settlement:UInt64} AND service != ''
        )
    ),
    matched AS (
        SELECT
            u.*,
            toUnixTimestamp(least(u.start_time, toDateTime64('2106-02-07 05:59:59', 9, 'UTC'))) AS second,
            arraySort(p -> -p.4, arrayFilter(
                p -> (p.1 = lower(u.product) OR u.product = '' OR p.1 = '') AND p.2 IN ('', u.region) AND p.3 IN ('', u.account) AND p.5 <= second AND second < p.6,
                boxes.prices
            )) AS in_force,
            isNotNull(u.reported) AS is_reported,
            arrayUniq(arrayMap(p -> p.1, arrayFilter(p -> p.4 = in_force[1].4, in_force))) > 1 AS ambiguous,
            arrayFirst(
                d -> d.2 IN ('', lower(u.paid)) AND d.3 IN ('', lower(u.product), in_force[1].1) AND d.4 IN ('', u.item) AND d.5 IN ('', u.account)
                    AND d.6 <= second AND second < d.7,
                if(is_reported OR in_force[1].4 >= 3 * 16 * 4294967296, [], discounts)
            ) AS less,
            if(is_reported, u.currency, in_force[1].8) AS paid_in,
            if(is_reported, assumeNotNull(u.reported), toDecimal128(
                toDecimal256(in_force[1].7, 18) * toDecimal256(u.quantity, 9) * if(less.9 = '', toDecimal256(1, 11), less.8), 18
            )) AS paid_amount
        FROM used AS u
        LEFT ANY JOIN boxes ON u.paid = boxes.box_service AND u.item = boxes.box_item
    ),
    priced AS (
        SELECT
            m.*,
            if(m.paid_in = 'USD', toDecimal128(1, 18), rates.usd_per_unit) AS usd_per_unit,
            multiIf(
                NOT is_reported AND m.quantity < 0, 'its quantity cannot be: no number, below 0 or absurd',
                NOT is_reported AND empty(m.in_force), concat('no price for a ', replaceAll(m.item, '_', ' '), ' of ', m.paid, if(m.product = '', '', concat('/', m.product))),
                NOT is_reported AND ambiguous, concat('several products of ', m.paid, ' have a price for a ', m.item, ': name it in tollbook.service.product'),
                usd_per_unit = 0, concat('no exchange rate for ', m.paid_in, ' on ', toString(toDate(m.start_time))),
                ''
            ) AS unpriced
        FROM matched AS m
        LEFT ANY JOIN rates ON m.paid_in = rates.rate_currency AND toDate(m.start_time) = rates.rate_day
        WHERE (NOT m.known_only OR notEmpty(m.in_force))
            AND (is_reported OR notEmpty(m.in_force) OR m.paid NOT IN (
                SELECT lower(covers) FROM work_commitments WHERE settlement = {settlement:UInt64} AND unit = 'use'
            ))
    )
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    p.trace_id AS trace_id, p.span_id AS span_id, p.start_time AS start_time,
    p.paid AS service, p.product AS product, p.item AS item, greatest(p.quantity, 0) AS quantity,
    if(p.is_reported, 'provider', 'computed') AS basis,
    p.unpriced AS unpriced,
    if(p.unpriced = '', p.paid_amount, NULL) AS cost,
    p.paid_in AS currency,
    if(p.paid_in = 'USD', cost, toDecimal128(toDecimal256(cost, 18) * toDecimal256(p.usd_per_unit, 18), 18)) AS cost_usd,
    if(p.is_reported, '', p.in_force[1].9) AS price_id,
    if(p.is_reported, '', p.in_force[1].10) AS price_version,
    s.service_name AS service_name, s.workflow AS workflow, s.team AS team, s.project AS project, s.feature AS feature, s.customer AS customer,
    s.environment AS environment,
    p.less.9 AS discount
FROM priced AS p
LEFT ANY JOIN (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64}) AS s ON p.trace_id = s.trace_id AND p.span_id = s.span_id
SETTINGS short_circuit_function_evaluation = 'disable';

INSERT INTO work_lines
SELECT
    {settlement:UInt64} AS settlement,
    trace_id, span_id,
    any(start_time) AS start_time,
    'request' AS allocation,
    'third_party' AS category,
    item,
    concat(service, if(product = '', '', concat('/', product))) AS resource,
    service AS provider,
    '' AS account,
    '' AS model,
    sum(quantity) AS quantity,
    item AS unit,
    sum(assumeNotNull(cost)) AS amount,
    currency,
    sum(assumeNotNull(cost_usd)) AS amount_usd,
    price_id, price_version, basis,
    if(basis = 'provider', 'cost as the span tells it', concat('counted on the span that asked', discount)) AS method,
    '' AS waste
FROM services_settled AS v
WHERE v.tenant = {tenant:String} AND v.window = {window:DateTime('UTC')} AND v.settlement = {settlement:UInt64} AND v.unpriced = ''
GROUP BY trace_id, span_id, service, product, item, currency, price_id, price_version, basis, discount
