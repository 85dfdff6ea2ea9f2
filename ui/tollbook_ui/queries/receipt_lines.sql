-- Which ledger lines does the request have, dearest first?
SELECT
    toString(category) AS category,
    item,
    resource,
    quantity,
    unit,
    amount_usd,
    currency,
    toString(basis) AS basis,
    price_id,
    toString(price_version) AS price_version,
    method,
    toString(allocation) AS allocation,
    simulated,
    service_name,
    model,
    if(span_id = toFixedString('', 8), '', lower(hex(span_id))) AS span_id,
    toString(line_id) AS line_id
FROM ledger
WHERE trace_id = unhex({trace_id:String})
ORDER BY amount_usd DESC, category, item, resource, line_id
