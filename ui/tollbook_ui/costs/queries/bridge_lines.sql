-- What did each workload spend in the period, by what it was spent on?
SELECT
    toString({key1:Identifier}) AS key1,
    toString({key2:Identifier}) AS key2,
    toString({key3:Identifier}) AS key3,
    allocation,
    category,
    if(category = 'tokens', model, '') AS token_model,
    item,
    unit,
    sum(amount) AS quantity,
    sum(paid_usd) AS amount_usd,
    count() AS lines
FROM (
    SELECT
        tenant, team, project, feature, customer, environment, workflow, site, item, resource, account, region, currency, waste, unit,
        provider,
        model,
        service_name AS service,
        service_version AS version,
        toString(category) AS category,
        toString(allocation) AS allocation,
        toString(basis) AS basis,
        if(l.simulated, 'yes', 'no') AS simulated,
        '' AS nothing,
        l.amount_usd AS paid_usd,
        quantity AS amount
    FROM ledger AS l
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
)
WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
    AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
    AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
GROUP BY key1, key2, key3, allocation, category, token_model, item, unit
ORDER BY key1, key2, key3, allocation, category, token_model, item, unit
