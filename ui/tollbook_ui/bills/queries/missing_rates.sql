-- Which charges are in currencies without an exchange rate for their day, and so not in the ledger?
SELECT currency, toString(toDate(charge_period_start)) AS day, provider, sum(m.amount) AS amount, sum(m.lines) AS lines
FROM current_bill_matches AS m
WHERE isNull(usd_per_unit)
    AND ({provider:String} = '' OR provider = {provider:String})
    AND ({period:String} = '' OR formatDateTime(addHours(billing_period_start, 14), '%Y-%m') = {period:String})
GROUP BY currency, day, provider
ORDER BY currency, day, provider
LIMIT {limit:UInt32}
