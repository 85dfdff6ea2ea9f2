-- What is a unit of each currency worth, the newest day first?
SELECT toString(currency) AS currency, day, last_day, argMax(usd_per_unit, set_at) AS usd_per_unit, toString(argMax(source, set_at)) AS source
FROM exchange_rates
WHERE {currency:String} = '' OR currency = upper({currency:String})
GROUP BY currency, day, last_day
ORDER BY currency, day DESC, last_day
LIMIT {limit:UInt32}
