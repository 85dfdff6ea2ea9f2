-- What did each model cost in the window?
INSERT INTO resource_costs_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    'tokens' AS category,
    concat(price_provider, '/', price_model) AS resource,
    sum(arraySum(arrayMap(line -> if(line.unit = 'token', line.quantity, 0), lines))) AS quantity,
    'token' AS unit,
    sum(arrayFold((amount, line) -> amount + line.amount_usd, lines, toDecimal128(0, 18))) AS amount_usd,
    concat(price_provider, '/', price_model) AS price_id,
    {book:String} AS price_version,
    'computed' AS basis
FROM work_priced
WHERE settlement = {settlement:UInt64} AND price_status = 'priced'
GROUP BY price_provider, price_model
