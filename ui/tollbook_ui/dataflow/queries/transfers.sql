-- Which bytes moved in the period, for which pipeline, over which kind of boundary, and at what cost? The dearest first, then the most bytes.
SELECT
    workflow, class, source, destination,
    uniqExact(tenant, trace_id) AS requests,
    toUInt64(sum(bytes)) AS moved_bytes,
    toUInt64(sumIf(bytes, unpriced = '')) AS priced_bytes,
    if(countIf(unpriced = '') = 0, NULL, sum(cost_usd)) AS known_usd,
    arrayStringConcat(arraySort(groupUniqArrayIf(toString(unpriced), unpriced != '')), '; ') AS without_price
FROM transfers
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
GROUP BY workflow, class, source, destination
ORDER BY ifNull(known_usd, 0) DESC, moved_bytes DESC, workflow, class, source, destination
LIMIT {limit:UInt32}
