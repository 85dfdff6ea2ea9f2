-- What does a name stand for, by what was said last?
SELECT toString(model) AS model, concat(price_provider, '/', price_model) AS price, toString(provider) AS provider, toString(tenant) AS tenant
FROM current_model_aliases
ORDER BY model, provider, tenant
