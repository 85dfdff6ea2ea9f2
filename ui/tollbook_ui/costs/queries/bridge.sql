-- What did each workload spend in the period, on what, in how many calls and requests?
WITH long_costs AS (  -- of a long period that begins or ends within a day: its whole days, and the hours at its edges
    SELECT * FROM day_costs
    WHERE window >= {first_day:DateTime('UTC')} AND window < {last_day:DateTime('UTC')}
    UNION ALL
    SELECT * EXCEPT settlement FROM costs
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        AND (window < {first_day:DateTime('UTC')} OR window >= {last_day:DateTime('UTC')})
)

SELECT
    toString({key1:Identifier}) AS key1,
    toString({key2:Identifier}) AS key2,
    toString({key3:Identifier}) AS key3,
    allocation,
    category,
    if(category = 'tokens', model, '') AS token_model,
    item,
    unit,
    sum(paid) AS quantity,
    sum(paid_usd) AS amount_usd,
    sum(of_lines) AS lines,
    sum(of_calls) AS calls,
    sum(of_priced) AS priced,
    sum(of_requests) AS requests
FROM (
    SELECT
        tenant, team, project, feature, environment, workflow, site, model, item, account, region, currency, waste, unit, provider,
        category, allocation, basis,
        service_name AS service,
        service_version AS version,
        if(c.simulated, 'yes', 'no') AS simulated,
        '' AS nothing,
        c.amount_usd AS paid_usd,
        c.quantity AS paid,
        c.lines AS of_lines,
        c.calls - c.local_calls AS of_calls,
        c.priced_calls AS of_priced,
        c.requests AS of_requests
    FROM {source:Identifier} AS c
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
)
WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
    AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
    AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
GROUP BY key1, key2, key3, allocation, category, token_model, item, unit
ORDER BY key1, key2, key3, allocation, category, token_model, item, unit
