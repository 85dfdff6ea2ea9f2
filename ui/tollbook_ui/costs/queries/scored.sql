-- How many requests of each group have a score, how many of these answered well, and what did they cost, as far as that is known?
SELECT
    toString({key1:Identifier}) AS key1,
    toString({key2:Identifier}) AS key2,
    toString({key3:Identifier}) AS key3,
    toString({key4:Identifier}) AS key4,
    toString({key5:Identifier}) AS key5,
    count() AS scored_requests,
    countIf(bad = 0) AS good_requests,
    sumOrNull(cost_usd) AS scored_usd
FROM (
    SELECT
        tenant, team, project, feature, customer, environment, workflow, site, cost_usd, trace_id,
        service_name AS service,
        formatDateTime(window, '%Y-%m-%dT%H:00Z') AS hour,
        formatDateTime(window, '%Y-%m-%d') AS day,
        formatDateTime(window, '%G-W%V') AS week,
        formatDateTime(window, '%Y-%m') AS month,
        '' AS nothing
    FROM requests
    WHERE NOT continued AND window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        AND (tenant, trace_id) IN (SELECT tenant, trace_id FROM scores)
) AS r
INNER JOIN (
    SELECT tenant, trace_id, countIf(NOT good) AS bad
    FROM scores
    GROUP BY tenant, trace_id
) AS j ON r.tenant = j.tenant AND r.trace_id = j.trace_id
WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
    AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
    AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
GROUP BY key1, key2, key3, key4, key5
