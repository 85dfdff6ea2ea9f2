-- What did each workload spend in the period, by the values of keys that budgets ask for?
SELECT
    if(has({known1:Array(String)}, toString({key1:Identifier})), toString({key1:Identifier}), {other:String}) AS value1,
    if(has({known2:Array(String)}, toString({key2:Identifier})), toString({key2:Identifier}), {other:String}) AS value2,
    if(has({known3:Array(String)}, toString({key3:Identifier})), toString({key3:Identifier}), {other:String}) AS value3,
    if(has({known4:Array(String)}, toString({key4:Identifier})), toString({key4:Identifier}), {other:String}) AS value4,
    if(has({known5:Array(String)}, toString({key5:Identifier})), toString({key5:Identifier}), {other:String}) AS value5,
    if(has({known6:Array(String)}, toString({key6:Identifier})), toString({key6:Identifier}), {other:String}) AS value6,
    if(has({known7:Array(String)}, toString({key7:Identifier})), toString({key7:Identifier}), {other:String}) AS value7,
    if(has({known8:Array(String)}, toString({key8:Identifier})), toString({key8:Identifier}), {other:String}) AS value8,
    toString(workflow) AS workload,
    toString(team) AS of_team,
    category AS for_category,
    allocation AS to_allocation,
    sum(paid_usd) AS spent_usd
FROM (
    SELECT
        window, tenant, team, project, feature, environment, workflow, site, model, provider, item, account, region, currency,
        waste,
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
    WHERE tenant = {of_tenant:String} AND window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
)
GROUP BY value1, value2, value3, value4, value5, value6, value7, value8, workload, of_team, for_category, to_allocation
ORDER BY workload, of_team, for_category, to_allocation, value1, value2, value3, value4, value5, value6, value7, value8
