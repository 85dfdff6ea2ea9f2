-- What was charged, by service and account? The rows add up to the bill.
SELECT
    toString(toDate(billing_period_start)) AS billing_period,
    provider,
    if(sub_account_id != '', sub_account_id, billing_account_id) AS account,
    service_name AS service,
    charge_category,
    charge_class,
    billing_currency AS currency,
    count() AS lines,
    sum(b.billed_cost) AS billed_cost,
    sum(b.effective_cost) AS effective_cost
FROM bill AS b
WHERE ({provider:String} = '' OR provider = {provider:String})
    AND ({period:String} = '' OR formatDateTime(addHours(billing_period_start, 14), '%Y-%m') = {period:String})
GROUP BY billing_period, provider, account, service, charge_category, charge_class, currency
ORDER BY billing_period DESC, billed_cost DESC, provider, account, service, charge_category, charge_class
LIMIT {limit:UInt32}
