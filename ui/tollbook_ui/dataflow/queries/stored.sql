-- Which copies of which assets were held in the period, for how long, and at what cost? The dearest first.
SELECT
    asset_id, location, provider, storage_class, region,
    argMax(bytes, window) AS last_bytes,
    toFloat64(sum(held_ns)) / 3600000000000 AS held_hours,
    sum(gb_months) AS gb_months,
    if(countIf(unpriced = '') = 0, NULL, sum(cost_usd)) AS known_usd,
    arrayStringConcat(arraySort(groupUniqArrayIf(toString(unpriced), unpriced != '')), '; ') AS without_price,
    any(told_by) AS told_by,
    uniqExact(location) OVER (PARTITION BY asset_id) AS copies
FROM storage
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
GROUP BY asset_id, location, provider, storage_class, region
ORDER BY ifNull(known_usd, 0) DESC, gb_months DESC, asset_id, location
LIMIT {limit:UInt32}
