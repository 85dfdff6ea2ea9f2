-- What did the period cost, and where did the money go?
SELECT
    sum(amount_usd) AS total_usd,
    sumIf(amount_usd, allocation = 'request') AS requests_usd,
    sumIf(amount_usd, allocation = 'idle') AS idle_usd,
    sumIf(amount_usd, allocation = 'shared') AS shared_usd,
    sumIf(amount_usd, allocation = 'unattributed') AS unattributed_usd,
    sumIf(amount_usd, simulated) AS simulated_usd,
    count() AS lines
FROM ledger
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
