-- What is unattributed, by its name? A line knows the day that its billing period begins on: by some clocks, the one before the month's first.
SELECT
    price_version AS billing_period, provider, account,
    substring(price_id, length(concat('bill/', provider, '/', price_version, '/', account, '/')) + 1) AS service,
    item, currency, sum(l.amount) AS amount
FROM ledger AS l
WHERE basis = 'invoice' AND allocation = 'unattributed'
    AND ({provider:String} = '' OR provider = {provider:String})
    AND ({period:String} = '' OR formatDateTime(addDays(toDate(price_version), 1), '%Y-%m') = {period:String})
GROUP BY billing_period, provider, account, service, price_id, item, currency
ORDER BY billing_period DESC, abs(amount) DESC, provider, account, service, item
LIMIT {limit:UInt32}
