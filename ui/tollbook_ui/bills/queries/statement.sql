-- Attributed, idle, shared, unattributed: how does each service and account of the bill add up, and why does it differ from the estimate?
SELECT
    b.billing_period AS billing_period,
    b.provider AS provider,
    b.account AS account,
    b.service AS service,
    b.currency AS currency,
    b.billed AS billed,
    toDecimal256(l.attributed, 50) AS attributed,
    toDecimal256(l.idle, 50) AS idle,
    toDecimal256(l.shared, 50) AS shared,
    b.billed - attributed - idle - shared AS unattributed,
    unattributed - toDecimal256(l.unattributed, 50) AS pending,
    m.amount_usd AS billed_usd,
    m.estimate_usd AS estimate_usd,
    m.price_usd AS price_usd,
    m.quantity_usd AS quantity_usd,
    m.unknown_usage_usd AS unknown_usage_usd
FROM (
    SELECT
        tenant, toString(toDate(billing_period_start)) AS billing_period, provider, if(sub_account_id != '', sub_account_id, billing_account_id) AS account,
        service_name AS service, billing_currency AS currency,
        sum(if(r.cost = 'effective', effective_cost, billed_cost)) AS billed
    FROM bill
    LEFT ANY JOIN (SELECT tenant AS whose, cost FROM current_bill_runs) AS r ON bill.tenant = r.whose
    WHERE ({provider:String} = '' OR provider = {provider:String})
        AND ({period:String} = '' OR formatDateTime(addHours(billing_period_start, 14), '%Y-%m') = {period:String})
    GROUP BY tenant, billing_period, provider, account, service, currency
) AS b
LEFT ANY JOIN (
    SELECT
        tenant, price_id, currency,
        sumIf(amount, allocation = 'request') AS attributed, sumIf(amount, allocation = 'idle') AS idle, sumIf(amount, allocation = 'shared') AS shared,
        sumIf(amount, allocation = 'unattributed') AS unattributed
    FROM ledger
    WHERE basis = 'invoice'
    GROUP BY tenant, price_id, currency
) AS l ON b.tenant = l.tenant AND concat('bill/', b.provider, '/', b.billing_period, '/', b.account, '/', b.service) = l.price_id AND b.currency = l.currency
LEFT ANY JOIN (
    SELECT
        tenant, toString(toDate(billing_period_start)) AS billing_period, provider, account, service, currency,
        sum(s.amount_usd) AS amount_usd,
        sum(s.estimate_usd) AS estimate_usd,
        sum(s.explained_usd - s.fair_usd) AS price_usd,
        sum(s.fair_usd - s.estimate_usd) AS quantity_usd,
        sum(s.amount_usd - s.explained_usd) AS unknown_usage_usd
    FROM (
        SELECT *, if(
            unit != '' AND billed_quantity > 0 AND toDecimal256(known_quantity, 9) > toDecimal256(billed_quantity, 9),
            toDecimal128(toDecimal256(estimate_usd, 18) * toDecimal256(billed_quantity, 9) / toDecimal256(known_quantity, 9), 18),
            estimate_usd
        ) AS fair_usd
        FROM current_bill_matches
    ) AS s
    GROUP BY tenant, billing_period, provider, account, service, currency
) AS m ON b.tenant = m.tenant AND b.billing_period = m.billing_period AND b.provider = m.provider AND b.account = m.account AND b.service = m.service
    AND b.currency = m.currency
ORDER BY billing_period DESC, billed DESC, provider, account, service
