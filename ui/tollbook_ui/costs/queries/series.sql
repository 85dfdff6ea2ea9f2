-- What did each of the dearest groups cost, hour by hour?
SELECT
    key1, key2, key3,
    arrayMap(point -> point.1, groupArray((hour, spent_usd))) AS hours,
    arrayMap(point -> point.2, groupArray((hour, spent_usd))) AS amounts
FROM (
    SELECT
        toString({key1:Identifier}) AS key1,
        toString({key2:Identifier}) AS key2,
        toString({key3:Identifier}) AS key3,
        toUnixTimestamp(window) AS hour,
        sum(paid_usd) AS spent_usd
    FROM (
        SELECT
            window, tenant, team, project, feature, environment, workflow, site, model, provider, item, account, region,
            currency, waste,
            service_name AS service,
        toString({customer:Identifier}) AS customer,
        toString({resource:Identifier}) AS resource,
            service_version AS version,
            toString(category) AS category,
            toString(allocation) AS allocation,
            toString(basis) AS basis,
            if(l.simulated, 'yes', 'no') AS simulated,
            '' AS nothing,
            l.amount_usd AS paid_usd
        FROM {source:Identifier} AS l
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    )
    WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
        AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
        AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
    GROUP BY key1, key2, key3, hour
    ORDER BY hour
)
GROUP BY key1, key2, key3
ORDER BY sum(spent_usd) DESC, key1, key2, key3
LIMIT {limit:UInt32}
