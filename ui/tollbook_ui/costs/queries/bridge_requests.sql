-- How many requests did each workload have in the period?
SELECT
    toString({key1:Identifier}) AS key1,
    toString({key2:Identifier}) AS key2,
    toString({key3:Identifier}) AS key3,
    count() AS requests
FROM (
    SELECT tenant, team, project, feature, customer, environment, workflow, site, service_name AS service, '' AS nothing
    FROM requests
    WHERE NOT continued AND window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
)
WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
    AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
    AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
GROUP BY key1, key2, key3
ORDER BY key1, key2, key3
