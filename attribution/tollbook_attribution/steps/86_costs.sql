-- What did the hour cost by each combination of owner, model and kind? Lines, calls and requests, each added up over what divides them.
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
    environment, site, region, account, currency, simulated;

INSERT INTO costs_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    'request' AS allocation,
    'tokens' AS category,
    '' AS item,
    '' AS unit,
    c.basis AS basis,
    c.waste AS waste,
    if(c.price_provider != '', c.price_provider, c.provider) AS provider,
    if(c.response_model != '', c.response_model, c.model) AS model,
    c.service_name AS service_name,
    '' AS service_version,
    c.workflow AS workflow,
    c.team AS team,
    c.project AS project,
    c.feature AS feature,
    c.environment AS environment,
    '' AS site,
    '' AS region,
    '' AS account,
    '' AS currency,
    c.simulated AS simulated,
    toDecimal128(0, 18) AS amount_usd,
    toDecimal128(0, 9) AS quantity,
    0 AS lines,
    count() AS calls,
    countIf(c.price_status = 'priced') AS priced_calls,
    countIf(c.price_status = 'unpriced') AS unpriced_calls,
    countIf(c.price_status = 'local') AS local_calls,
    0 AS requests
FROM calls_settled AS c
WHERE c.tenant = {tenant:String} AND c.window = {window:DateTime('UTC')} AND c.settlement = {settlement:UInt64} AND c.role = 'counted'
GROUP BY basis, waste, provider, model, service_name, workflow, team, project, feature, environment, simulated;

INSERT INTO costs_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    'request' AS allocation,
    '' AS category,
    '' AS item,
    '' AS unit,
    '' AS basis,
    '' AS waste,
    '' AS provider,
    '' AS model,
    r.service_name AS service_name,
    '' AS service_version,
    r.workflow AS workflow,
    r.team AS team,
    r.project AS project,
    r.feature AS feature,
    r.environment AS environment,
    r.site AS site,
    '' AS region,
    '' AS account,
    '' AS currency,
    r.simulated AS simulated,
    toDecimal128(0, 18) AS amount_usd,
    toDecimal128(0, 9) AS quantity,
    0 AS lines,
    0 AS calls,
    0 AS priced_calls,
    0 AS unpriced_calls,
    0 AS local_calls,
    countIf(NOT r.continued) AS requests
FROM requests_settled AS r
WHERE r.tenant = {tenant:String} AND r.window = {window:DateTime('UTC')} AND r.settlement = {settlement:UInt64}
GROUP BY service_name, workflow, team, project, feature, environment, site, simulated
