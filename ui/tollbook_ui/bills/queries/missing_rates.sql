-- Which charges are in currencies without an exchange rate for their day, and so not in the ledger? Of which days is the rate that comes nearest: the last
-- one before, else the first one after?
WITH
    arrayReverseSort(s -> s.2, arrayFilter(s -> s.2 < of_day, x.spells)) AS before,
    arraySort(arrayFilter(s -> s.1 > of_day, x.spells)) AS after,
    if(notEmpty(before), before, after)[1] AS nearest
SELECT
    missing.currency AS currency, toString(of_day) AS day, provider, amount, lines,
    if(nearest.1 = toDate(0), '', toString(nearest.1)) AS known_from,
    if(nearest.1 = toDate(0), '', toString(nearest.2)) AS known_until
FROM (
    SELECT toString(m.currency) AS currency, toDate(charge_period_start) AS of_day, provider, sum(m.amount) AS amount, sum(m.lines) AS lines
    FROM current_bill_matches AS m
    WHERE isNull(usd_per_unit)
        AND ({provider:String} = '' OR provider = {provider:String})
        AND ({period:String} = '' OR formatDateTime(addHours(billing_period_start, 14), '%Y-%m') = {period:String})
    GROUP BY currency, of_day, provider
) AS missing
LEFT ANY JOIN (SELECT toString(exchange_rates.currency) AS code, groupArray((exchange_rates.day, last_day)) AS spells FROM exchange_rates GROUP BY code) AS x
    ON missing.currency = x.code
ORDER BY currency, day, provider
LIMIT {limit:UInt32}
