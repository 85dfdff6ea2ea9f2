-- What is unattributed, by its name?
SELECT
    price_version AS billing_period, provider, account,
    substring(price_id, length(concat('bill/', provider, '/', price_version, '/', account, '/')) + 1) AS service,
    item, currency, sum(l.amount) AS amount
FROM ledger AS l
WHERE basis = 'invoice' AND allocation = 'unattributed'
    AND ({provider:String} = '' OR provider = {provider:String})
    AND ({period:String} = '' OR startsWith(price_version, {period:String}))
GROUP BY billing_period, provider, account, service, price_id, item, currency
ORDER BY billing_period DESC, abs(amount) DESC, provider, account, service, item
LIMIT {limit:UInt32}
