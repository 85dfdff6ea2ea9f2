-- What was billed without telemetry, dearest first?
SELECT
    toString(toDate(billing_period_start)) AS billing_period, provider, account, service, billed_resource AS resource, rule AS reason, currency,
    sum(m.amount) AS amount, sum(m.lines) AS lines
FROM current_bill_matches AS m
WHERE m.resource = '' AND m.amount != 0
    AND ({provider:String} = '' OR provider = {provider:String})
    AND ({period:String} = '' OR formatDateTime(addHours(billing_period_start, 14), '%Y-%m') = {period:String})
GROUP BY billing_period, provider, account, service, billed_resource, reason, currency
ORDER BY abs(amount) DESC, billing_period, provider, account, service, resource, reason
LIMIT {limit:UInt32}
