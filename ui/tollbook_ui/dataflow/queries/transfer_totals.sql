-- What do all transfers of the period come to?
SELECT
    toUInt64(sum(bytes)) AS moved_bytes,
    toUInt64(sumIf(bytes, unpriced = '')) AS priced_bytes,
    if(countIf(unpriced = '') = 0, NULL, sum(cost_usd)) AS known_usd
FROM transfers
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
