-- What was the request charged for, lines that differ only in their span added up, dearest first?
SELECT
    toString(category) AS category,
    item,
    resource,
    sum(quantity) AS quantity,
    unit,
    sum(amount_usd) AS amount_usd,
    toString(basis) AS basis,
    price_id,
    method,
    simulated,
    count() AS lines
FROM ledger
WHERE trace_id = unhex({trace_id:String})
GROUP BY category, item, resource, unit, basis, price_id, method, simulated
ORDER BY amount_usd DESC, category, item, resource, unit, price_id
