-- Which prices are there to choose from, of a provider, a model or of all?
SELECT
    toString(price_id) AS price_id,
    toString(version) AS version,
    toString(tenant) AS tenant,
    toString(category) AS category,
    toString(provider) AS provider,
    toString(model) AS model,
    toString(item) AS item,
    toString(unit) AS unit,
    amount,
    quoted,
    per,
    toString(currency) AS currency,
    if(valid_from = toDateTime(0, 'UTC'), NULL, valid_from) AS valid_from,
    valid_until,
    toString(conditions) AS conditions,
    toString(source) AS source,
    source_url,
    retrieved_at
FROM current_prices
WHERE ({provider:String} = '' OR provider = lower({provider:String}))
    AND ({model:String} = '' OR lower(model) = lower({model:String}))
    AND ({source:String} = '' OR source = {source:String})
    AND ({category:String} = '' OR category = {category:String})
ORDER BY current_prices.category, provider, model, item, current_prices.valid_from DESC, price_id, added_at DESC
LIMIT {limit:UInt32}
