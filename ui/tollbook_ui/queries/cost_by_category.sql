-- What was the money of the period paid for, and where did it go, most first?
SELECT
    toString(category) AS category,
    toString(allocation) AS allocation,
    simulated,
    count() AS lines,
    sum(amount_usd) AS amount_usd
FROM ledger
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
GROUP BY category, allocation, simulated
ORDER BY amount_usd DESC, category, allocation, simulated
