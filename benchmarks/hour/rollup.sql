-- What did each team pay for each model on each day?
SELECT team, model, toDate(window) AS day, sum(amount_usd) AS usd, sum(calls) AS calls
FROM day_costs
GROUP BY team, model, day
ORDER BY team, model, day
