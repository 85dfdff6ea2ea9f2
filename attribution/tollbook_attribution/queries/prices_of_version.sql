-- What did one version of a list say?
SELECT
    * REPLACE (toString(price_id) AS price_id, toString(precedence) AS precedence)
FROM prices
WHERE version = {version:String}
    AND ({provider:String} = '' OR lower(provider) = lower({provider:String}))
    AND ({model:String} = '' OR lower(model) = lower({model:String}))
    AND ({source:String} = '' OR source = {source:String})
ORDER BY tenant, category, provider, model, item, service_tier, batch, min_quantity, valid_from, day_from_s, added_at
