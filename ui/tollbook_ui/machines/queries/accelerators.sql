-- What does an hour of each accelerator cost?
SELECT
    model,
    amount,
    toString(currency) AS currency,
    toString(provider) AS provider,
    toString(region) AS region,
    valid_from,
    valid_until,
    toString(source) AS source
FROM current_prices
WHERE category = 'accelerator' AND unit = 'gpu_hour'
ORDER BY model, provider, region, valid_from DESC
