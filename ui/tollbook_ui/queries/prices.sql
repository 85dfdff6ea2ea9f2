-- Which prices are known of the model, or of all, the newest first?
SELECT
    toString(price_id) AS price_id,
    toString(version) AS version,
    provider,
    model,
    item,
    unit,
    amount AS amount_usd,
    valid_from,
    valid_until,
    toString(conditions) AS conditions,
    source
FROM prices
WHERE currency = 'USD' AND model = ifNull({model:Nullable(String)}, model)
ORDER BY provider, model, item, valid_from DESC, price_id
LIMIT {limit:UInt32}
