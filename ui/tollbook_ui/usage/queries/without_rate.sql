-- In which currencies are costs of a staged file that have no exchange rate on their day, and which row is the first of each?
SELECT currency, min(row) AS first_row, argMin(toString(day), row) AS first_day, count() AS row_count
FROM (
    SELECT row, upper(fields['currency']) AS currency, toDate(fromUnixTimestamp64Nano(assumeNotNull(start_ns), 'UTC')) AS day
    FROM usage_rows
    WHERE import_id = {import_id:UInt64} AND fields['cost'] != '' AND upper(fields['currency']) NOT IN ('', 'USD')
)
WHERE (currency, day) GLOBAL NOT IN (SELECT toString(currency) AS currency, day FROM daily_exchange_rates)
GROUP BY currency
ORDER BY first_row
