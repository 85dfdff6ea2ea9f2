-- How many calls did one's own caches answer in the period, and what would they have cost?
SELECT
    count() AS avoided_calls,
    if(countIf(isNull(avoided_usd)) = count(), NULL, sum(avoided_usd)) AS amount_usd
FROM calls
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND avoided_usd IS NOT NULL
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
