-- Which services paid by use were asked in the period, how much of what did they take, and at what cost? The dearest first.
SELECT
    service, product, item,
    count() AS uses,
    sum(quantity) AS quantity,
    if(countIf(unpriced = '') = 0, NULL, sum(cost_usd)) AS known_usd,
    countIf(unpriced != '') AS unpriced_uses,
    arrayStringConcat(arraySort(groupUniqArrayIf(toString(unpriced), unpriced != '')), '; ') AS without_price
FROM services
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
GROUP BY service, product, item
ORDER BY ifNull(known_usd, 0) DESC, uses DESC, service, product, item
LIMIT {limit:UInt32}
