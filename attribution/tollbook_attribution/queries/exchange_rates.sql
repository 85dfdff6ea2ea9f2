-- What are currencies worth: the rate set last for each period?
SELECT currency, day, last_day, argMax(usd_per_unit, set_at) AS usd_per_unit, argMax(source, set_at) AS source
FROM exchange_rates
GROUP BY currency, day, last_day
ORDER BY currency, day DESC, last_day
