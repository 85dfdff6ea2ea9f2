-- What did the hour cost by each combination of owner, model and kind? Lines here, calls and requests in the next steps, each added up over what divides them.
-- Where there is: work_lines, work_priced
INSERT INTO costs_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    allocation, category, item, unit, basis, waste, provider, model, service_name, service_version, workflow, team, project, feature,
    environment, site, region, account, currency, simulated,
    sum(l.amount_usd) AS amount_usd,
    sum(l.quantity) AS quantity,
    count() AS lines,
    0 AS calls,
    0 AS priced_calls,
    0 AS unpriced_calls,
    0 AS local_calls,
    0 AS requests
FROM ledger_settled AS l
WHERE l.tenant = {tenant:String} AND l.window = {window:DateTime('UTC')} AND l.settlement = {settlement:UInt64}
GROUP BY allocation, category, item, unit, basis, waste, provider, model, service_name, service_version, workflow, team, project, feature,
    environment, site, region, account, currency, simulated
