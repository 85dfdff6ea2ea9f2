-- Which currencies of an import have no exchange rate on a day of theirs, and what charge is the first of each?
SELECT
    toString(billing_currency) AS currency,
    min((toString(file), line, toString(toDate(charge_period_start)))) AS first,
    first.1 AS name,
    first.2 AS row,
    first.3 AS day,
    count() AS charges
FROM bill_lines
WHERE tenant = {tenant:String} AND import_id = {import_id:UInt64} AND billing_currency != 'USD'
    AND (toString(billing_currency), toDate(charge_period_start)) GLOBAL NOT IN (SELECT toString(currency) AS currency, day FROM daily_exchange_rates)
GROUP BY currency
ORDER BY name, row
