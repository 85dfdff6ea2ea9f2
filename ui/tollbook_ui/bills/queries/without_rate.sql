-- Which currencies of an import have no exchange rate on a day of theirs, and what charge is the first of each? Of which days is the rate that comes
-- nearest to it: the last one before, else the first one after?
WITH
    arrayReverseSort(s -> s.2, arrayFilter(s -> s.2 < first.3, x.spells)) AS before,
    arraySort(arrayFilter(s -> s.1 > first.3, x.spells)) AS after,
    if(notEmpty(before), before, after)[1] AS nearest
SELECT
    missing.currency AS currency, first.1 AS name, first.2 AS row, toString(first.3) AS day, charges,
    if(nearest.1 = toDate(0), '', toString(nearest.1)) AS known_from,
    if(nearest.1 = toDate(0), '', toString(nearest.2)) AS known_until
FROM (
    SELECT toString(billing_currency) AS currency, min((toString(file), line, toDate(charge_period_start))) AS first, count() AS charges
    FROM bill_lines
    WHERE tenant = {tenant:String} AND import_id = {import_id:UInt64} AND billing_currency != 'USD'
        AND (toString(billing_currency), toDate(charge_period_start)) GLOBAL NOT IN (SELECT toString(currency) AS currency, day FROM daily_exchange_rates)
    GROUP BY currency
) AS missing
LEFT ANY JOIN (SELECT toString(exchange_rates.currency) AS code, groupArray((exchange_rates.day, last_day)) AS spells FROM exchange_rates GROUP BY code) AS x
    ON missing.currency = x.code
ORDER BY name, row
