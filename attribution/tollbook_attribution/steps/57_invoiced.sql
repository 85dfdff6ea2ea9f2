-- Which lines does the bill decide? Billed amounts take the place of estimates, split over the lines as these are, to the last digit; what falls to calls without a
-- price is split over these by tokens, or over the calls alike. What nothing has an estimate of is split by use: tokens, or the time of a machine without
-- a rate, which has as many processors as it says, or one. Each line keeps its quantity once, with usage rather than with its credit.
-- The lines stand in an order; each has what the amount comes to up to it, cut off at the 18th decimal, less what it comes to up to the one before.
-- Where there is: bills
INSERT INTO work_billed_lines (
    settlement, trace_id, span_id, start_time, allocation, category, item, resource, provider, account, model, unit, waste, quantity, price_id, billing_period,
    billed_by, service, billed_to, currency, amount, amount_usd, charged, weighed_by
)
WITH shares AS (
    SELECT
        concat('bill/', provider, '/', toString(toDate(billing_period_start)), '/', account, '/', service) AS price_id,
        toString(toDate(billing_period_start)) AS billing_period,
        provider AS billed_by, service, account AS billed_to, currency, category, resource AS target, ledger_provider AS target_provider,
        ledger_account AS target_account, charged, if(weighed_by = '', 'estimate', weighed_by) AS weighed_by,
        sum(s.amount) AS amount, sum(s.amount_usd) AS amount_usd
    FROM current_bill_shares AS s
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND resource != ''
    GROUP BY billing_period_start, provider, service, account, currency, category, resource, ledger_provider, ledger_account, charged, weighed_by
),
unrated AS (
    SELECT h.host AS host, h.first_seen AS first_seen, h.claimed_ns AS claimed_ns, h.observed_ns * toInt64(greatest(b.logical_cpus, 1)) AS there_ns
    FROM (
        SELECT host, first_seen, claimed_ns, observed_ns FROM hosts_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id = ''
            AND 'use' IN (SELECT weighed_by FROM shares)
    ) AS h
    LEFT ANY JOIN (SELECT host, logical_cpus FROM work_busy_cpus WHERE settlement = {settlement:UInt64}) AS b ON h.host = b.host
),
lines AS (
    SELECT
        l.trace_id AS trace_id, l.span_id AS span_id, min(l.start_time) AS start_time, l.allocation AS allocation, l.category AS category, l.item AS item,
        l.resource AS resource, l.provider AS provider, if(l.account != '', l.account, s.account) AS account, l.model AS model, l.unit AS unit,
        l.waste AS waste, sum(l.quantity) AS quantity, toInt256(toDecimal256(sum(l.amount_usd), 18) * toInt256('1000000000000000000')) AS estimate_weight,
        toInt256(0) AS calls, true AS has_estimate
    FROM (
        SELECT trace_id, span_id, start_time, allocation, category, item, resource, provider, account, model, unit, waste, quantity, amount_usd
        FROM work_lines
        WHERE settlement = {settlement:UInt64} AND basis != 'invoice' AND category IN (SELECT category FROM shares)
        UNION ALL
        SELECT
            trace_id, span_id, start_time, allocation, category, item, resource, provider, account, '' AS model, unit, waste,
            toDecimal128(quantity, 9) AS quantity, amount_usd
        FROM work_token_lines(settlement = {settlement:UInt64})
        WHERE category IN (SELECT category FROM shares)
    ) AS l
    LEFT ANY JOIN (SELECT trace_id, span_id, account FROM work_spans WHERE settlement = {settlement:UInt64} AND account != '') AS s
        ON l.trace_id = s.trace_id AND l.span_id = s.span_id
    GROUP BY trace_id, span_id, allocation, category, item, resource, provider, account, model, unit, waste
    UNION ALL
    SELECT
        trace_id, span_id, start_time, if(trace_id = toFixedString('', 16), 'unattributed', 'request') AS allocation, 'tokens' AS category, item, resource,
        provider, account, '' AS model, unit, waste, toDecimal128(u.quantity, 9) AS quantity, toInt256(if(unit = 'token', u.quantity, 0)) AS estimate_weight,
        toInt256(u.calls) AS calls, false AS has_estimate
    FROM work_unpriced_lines AS u
    WHERE settlement = {settlement:UInt64}
    UNION ALL
    SELECT
        s.trace_id AS trace_id, s.span_id AS span_id, s.start_time AS start_time,
        if(trace_id = toFixedString('', 16), 'unattributed', 'request') AS allocation, 'compute' AS category, 'CPU time' AS item,
        concat('host:', m.host) AS resource, '' AS provider, s.account AS account, '' AS model, 's' AS unit, '' AS waste,
        toDecimal128(toDecimal256(e.claim_ns, 9) / toInt256(1000000000), 9) AS quantity, toInt256(0) AS estimate_weight, toInt256(0) AS calls,
        false AS has_estimate
    FROM (SELECT trace_id, span_id, claim_ns FROM work_efforts WHERE settlement = {settlement:UInt64} AND claim_ns > 0) AS e
    INNER JOIN (SELECT trace_id, span_id, start_time, host, account FROM work_spans WHERE settlement = {settlement:UInt64}) AS s
        ON e.trace_id = s.trace_id AND e.span_id = s.span_id
    INNER JOIN unrated AS m ON s.host = m.host
    UNION ALL
    SELECT
        toFixedString('', 16) AS trace_id, toFixedString('', 8) AS span_id, first_seen AS start_time, 'idle' AS allocation, 'compute' AS category,
        'idle CPU time' AS item, concat('host:', host) AS resource, '' AS provider, '' AS account, '' AS model, 's' AS unit, '' AS waste,
        toDecimal128(toDecimal256(there_ns - claimed_ns, 9) / toInt256(1000000000), 9) AS quantity, toInt256(0) AS estimate_weight, toInt256(0) AS calls,
        false AS has_estimate
    FROM unrated
    WHERE there_ns > claimed_ns
),
pairs AS (
    SELECT l.*, b.* EXCEPT category
    FROM lines AS l
    INNER JOIN shares AS b ON l.category = b.category AND l.resource = b.target
    WHERE (b.target_account = '' OR b.target_account = l.account) AND (b.weighed_by = 'use' OR l.has_estimate = (b.weighed_by = 'estimate'))
    UNION ALL
    SELECT l.*, b.* EXCEPT category
    FROM lines AS l
    INNER JOIN shares AS b ON l.category = b.category AND l.provider = b.target_provider
    WHERE b.target = '*' AND (b.target_account = '' OR b.target_account = l.account) AND (b.weighed_by = 'use' OR l.has_estimate = (b.weighed_by = 'estimate'))
),
weighed AS (
    SELECT
        *,
        multiIf(
            weighed_by = 'calls', calls,
            weighed_by = 'use', reinterpret(toDecimal256(quantity, 9), 'Int256'),
            estimate_weight
        ) AS weight,
        toInt256(toDecimal256(amount, 18) * toInt256('1000000000000000000')) AS whole,
        toInt256(toDecimal256(amount_usd, 18) * toInt256('1000000000000000000')) AS whole_usd,
        sum(weight) OVER (PARTITION BY price_id, currency, category, target, target_provider, target_account, charged, weighed_by) AS weights,
        sum(weight) OVER (
            PARTITION BY price_id, currency, category, target, target_provider, target_account, charged, weighed_by
            ORDER BY trace_id, span_id, resource, allocation, item, provider, account, model, unit, waste ROWS UNBOUNDED PRECEDING
        ) AS upto,
        row_number() OVER (
            PARTITION BY trace_id, span_id, resource, allocation, category, item, provider, account, model, unit, waste
            ORDER BY charged, price_id, currency, target, target_account
        ) = 1 AS keeps_quantity
    FROM pairs
    WHERE (weighed_by != 'tokens' OR unit = 'token') AND (weighed_by != 'use' OR unit = multiIf(category = 'tokens', 'token', category = 'compute', 's', unit))
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id, span_id, start_time, allocation, category, item, resource, provider, account, model, unit, waste, if(keeps_quantity, quantity, 0) AS quantity,
    price_id, billing_period, billed_by, service, billed_to, currency,
    toDecimal128(
        toDecimal256(intDiv(whole * upto, weights) - intDiv(whole * (upto - weight), weights), 18) / toInt256('1000000000000000000'), 18
    ) AS amount,
    toDecimal128(
        toDecimal256(intDiv(whole_usd * upto, weights) - intDiv(whole_usd * (upto - weight), weights), 18) / toInt256('1000000000000000000'), 18
    ) AS amount_usd,
    charged, weighed_by
FROM weighed
WHERE weights != 0;

INSERT INTO work_lines
SELECT
    settlement,
    trace_id,
    span_id,
    any(b.start_time) AS start_time,
    allocation,
    category,
    item,
    resource,
    billed_by AS provider,
    billed_to AS account,
    model,
    sum(b.quantity) AS quantity,
    unit,
    sum(b.amount) AS amount,
    currency,
    sum(b.amount_usd) AS amount_usd,
    price_id,
    billing_period AS price_version,
    'invoice' AS basis,
    concat(charged, ', split by ', multiIf(
        weighed_by = 'estimate', 'the estimate', weighed_by != 'use', weighed_by, category = 'tokens', 'tokens', category = 'compute', 'CPU time', 'use'
    )) AS method,
    waste
FROM work_billed_lines AS b
WHERE settlement = {settlement:UInt64}
GROUP BY settlement, trace_id, span_id, allocation, category, item, resource, billed_by, billed_to, model, unit, currency, price_id, billing_period, waste, charged,
    weighed_by;

-- Whose estimates are no longer needed?
INSERT INTO work_billed
SELECT DISTINCT settlement, category, resource, provider, account
FROM work_billed_lines
WHERE settlement = {settlement:UInt64} AND weighed_by IN ('estimate', 'use');

-- What did nobody use, as far as telemetry tells? What is billed and has no line to be split over, named by what it is.
INSERT INTO work_lines
SELECT
    {settlement:UInt64} AS settlement,
    toFixedString('', 16) AS trace_id,
    toFixedString('', 8) AS span_id,
    toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
    'unattributed' AS allocation,
    if(kind IN ('tokens', 'compute', 'accelerator', 'storage', 'transfer', 'third_party'), kind, 'unattributed') AS category,
    item,
    concat('bill:', provider, '/', service) AS resource,
    provider,
    account,
    '' AS model,
    toDecimal128(0, 9) AS quantity,
    '' AS unit,
    sum(s.amount) AS amount,
    currency,
    sum(s.amount_usd) AS amount_usd,
    price_id,
    billing_period AS price_version,
    'invoice' AS basis,
    concat(charged, ', and no line of the ledger explains it') AS method,
    '' AS waste
FROM (
    SELECT
        concat('bill/', provider, '/', toString(toDate(billing_period_start)), '/', account, '/', service) AS price_id,
        toString(toDate(billing_period_start)) AS billing_period,
        provider, service, account, currency, category AS kind, if(resource = '', item, 'usage whose spans are gone') AS item, amount, amount_usd,
        charged
    FROM current_bill_shares
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')}
    UNION ALL
    SELECT
        price_id, billing_period, billed_by AS provider, service, billed_to AS account, currency, category AS kind,
        'usage whose spans are gone' AS item, -amount AS amount, -amount_usd AS amount_usd,
        charged
    FROM work_billed_lines
    WHERE settlement = {settlement:UInt64}
) AS s
GROUP BY price_id, billing_period, provider, service, account, currency, kind, item, charged
HAVING amount != 0 OR amount_usd != 0
