-- How many calls were there by each combination of owner, model and kind, and how many tokens did they use? The unit says whether these have a price.
-- Where there is: work_calls, work_merged
INSERT INTO costs_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    'request' AS allocation,
    'tokens' AS category,
    '' AS item,
    multiIf(c.price_status = 'priced', 'priced token', c.price_status = 'unpriced', 'unpriced token', '') AS unit,
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
    toDecimal128(sumIf(
        toInt128(ifNull(c.input_tokens, 0)) + ifNull(c.cache_read_tokens, 0) + ifNull(c.cache_write_tokens, 0) + ifNull(c.output_tokens, 0)
        + ifNull(c.reasoning_tokens, 0), unit != ''
    ), 9) AS quantity,
    0 AS lines,
    count() AS calls,
    countIf(c.price_status = 'priced') AS priced_calls,
    countIf(c.price_status = 'unpriced') AS unpriced_calls,
    countIf(c.price_status = 'local') AS local_calls,
    0 AS requests
FROM calls_settled AS c
WHERE c.tenant = {tenant:String} AND c.window = {window:DateTime('UTC')} AND c.settlement = {settlement:UInt64} AND c.role = 'counted'
GROUP BY unit, basis, waste, provider, model, service_name, workflow, team, project, feature, environment, simulated
