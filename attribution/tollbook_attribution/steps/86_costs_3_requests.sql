-- How many requests were there by each combination of owners?
-- Where there is: spans, work_told_elsewhere, work_long_spans
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
