-- What was spent in the period, in the week before now and in the day before now, by the values of keys that budgets ask for?
-- Values that no budget asks for are one: 'other values'.
WITH long_costs AS (  -- of a long period: its days before the week before now by their sums, from then on its hours
    SELECT * FROM day_costs
    WHERE window >= {since:DateTime('UTC')} AND window < {hours_since:DateTime('UTC')}
    UNION ALL
    SELECT * EXCEPT settlement FROM costs
    WHERE window >= {hours_since:DateTime('UTC')}
)

SELECT
    if(has({known1:Array(String)}, toString({key1:Identifier})), toString({key1:Identifier}), {other:String}) AS value1,
    if(has({known2:Array(String)}, toString({key2:Identifier})), toString({key2:Identifier}), {other:String}) AS value2,
    if(has({known3:Array(String)}, toString({key3:Identifier})), toString({key3:Identifier}), {other:String}) AS value3,
    if(has({known4:Array(String)}, toString({key4:Identifier})), toString({key4:Identifier}), {other:String}) AS value4,
    if(has({known5:Array(String)}, toString({key5:Identifier})), toString({key5:Identifier}), {other:String}) AS value5,
    if(has({known6:Array(String)}, toString({key6:Identifier})), toString({key6:Identifier}), {other:String}) AS value6,
    if(has({known7:Array(String)}, toString({key7:Identifier})), toString({key7:Identifier}), {other:String}) AS value7,
    if(has({known8:Array(String)}, toString({key8:Identifier})), toString({key8:Identifier}), {other:String}) AS value8,
    sumIf(paid_usd, window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}) AS spent_usd,
    sumIf(paid_usd, window >= {pace_since:DateTime('UTC')} AND window < {now:DateTime('UTC')}) AS pace_usd,
    sumIf(paid_usd, window >= {day_since:DateTime('UTC')} AND window < {now:DateTime('UTC')}) AS day_usd
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
    WHERE tenant = {of_tenant:String}
        AND window >= least({since:DateTime('UTC')}, {pace_since:DateTime('UTC')})
        AND window < greatest({until:DateTime('UTC')}, {now:DateTime('UTC')})
)
GROUP BY value1, value2, value3, value4, value5, value6, value7, value8
