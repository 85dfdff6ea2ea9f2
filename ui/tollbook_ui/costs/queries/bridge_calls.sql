-- How many calls of each model did each workload make in the period, and how many of them have a price?
SELECT
    toString({key1:Identifier}) AS key1,
    toString({key2:Identifier}) AS key2,
    toString({key3:Identifier}) AS key3,
    model AS token_model,
    count() AS calls,
    countIf(price_status = 'priced') AS priced
FROM (
    SELECT
        tenant, team, project, feature, customer, environment, workflow, price_status,
        if(price_provider != '', price_provider, c.provider) AS provider,
        if(response_model != '', response_model, c.model) AS model,
        service_name AS service,
        'tokens' AS category,
        'request' AS allocation,
        if(c.simulated, 'yes', 'no') AS simulated,
        '' AS nothing
    FROM calls AS c
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')} AND role = 'counted' AND price_status != 'local'
)
WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
    AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
    AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
GROUP BY key1, key2, key3, token_model
ORDER BY key1, key2, key3, token_model
