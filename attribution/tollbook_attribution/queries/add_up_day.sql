-- What did this day cost by each combination of owner, model and kind?
INSERT INTO day_costs_settled
SELECT
    {day:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {made_from:UInt64} AS made_from,
    allocation, category, item, unit, basis, waste, provider, model, service_name, service_version, workflow, team, project, feature,
    environment, site, region, account, currency, simulated,
    sum(c.amount_usd) AS amount_usd,
    sum(c.quantity) AS quantity,
    sum(c.lines) AS lines,
    sum(c.calls) AS calls,
    sum(c.priced_calls) AS priced_calls,
    sum(c.unpriced_calls) AS unpriced_calls,
    sum(c.local_calls) AS local_calls,
    sum(c.requests) AS requests
FROM costs_settled AS c
WHERE c.tenant = {tenant:String} AND c.window >= {day:DateTime('UTC')} AND c.window < {day:DateTime('UTC')} + INTERVAL 1 DAY
    AND c.settlement IN {hours:Array(UInt64)}
GROUP BY allocation, category, item, unit, basis, waste, provider, model, service_name, service_version, workflow, team, project, feature,
    environment, site, region, account, currency, simulated
