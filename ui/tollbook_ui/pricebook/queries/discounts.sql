-- What is taken off list prices?
SELECT
    discount_id, percent, toString(tenant) AS tenant, toString(category) AS category, toString(provider) AS provider, model,
    toString(item) AS item, toString(account) AS account,
    if(valid_from = toDateTime(0, 'UTC'), NULL, valid_from) AS valid_from,
    valid_until, source
FROM current_discounts
ORDER BY discount_id, provider, model, item, current_discounts.valid_from
