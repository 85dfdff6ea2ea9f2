-- What did each group of the period cost, dearest first? Rows add up to the total; what has no known price has no amount.
-- Calls and requests are counted where the keys and filters divide them.
WITH long_costs AS (  -- of a long period that begins or ends within a day: its whole days, and the hours at its edges
    SELECT * FROM day_costs
    WHERE window >= {first_day:DateTime('UTC')} AND window < {last_day:DateTime('UTC')}
    UNION ALL
    SELECT * EXCEPT settlement FROM costs
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        AND (window < {first_day:DateTime('UTC')} OR window >= {last_day:DateTime('UTC')})
)

SELECT
    {key1:Identifier} AS key1,
    {key2:Identifier} AS key2,
    {key3:Identifier} AS key3,
    {key4:Identifier} AS key4,
    {key5:Identifier} AS key5,
    if(lines = 0, NULL, sum(paid_usd)) AS amount_usd,
    sum(of_lines) AS lines,
    sumIf(paid, unit = 'token') AS tokens,
    sum(of_calls) AS calls,
    sum(of_calls) - sum(of_priced) AS unpriced_calls,
    sumIf(paid, unit = 'priced token') AS priced_tokens,
    sumIf(paid, unit = 'unpriced token') AS unpriced_tokens,
    sum(of_requests) AS requests,
    sumIf(paid_usd, basis = 'estimated') AS estimated_usd,
    sumIf(paid_usd, waste != '') AS wasted_usd,
    sumIf(paid_usd, simulated = 'yes') AS simulated_usd
FROM (
    SELECT
        tenant, team, project, feature, environment, workflow, site, model, item, account, region, currency, waste, unit, provider,
        category, allocation, basis,
        service_name AS service,
        service_version AS version,
        if(c.simulated, 'yes', 'no') AS simulated,
        formatDateTime(window, '%Y-%m-%dT%H:00Z') AS hour,
        formatDateTime(window, '%Y-%m-%d') AS day,
        formatDateTime(window, '%G-W%V') AS week,
        formatDateTime(window, '%Y-%m') AS month,
        '' AS nothing,
        c.amount_usd AS paid_usd,
        c.quantity AS paid,
        c.lines AS of_lines,
        c.calls - c.local_calls AS of_calls,
        c.priced_calls AS of_priced,
        c.requests AS of_requests
    FROM {source:Identifier} AS c
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        AND (c.lines > 0 OR ({with_calls:Bool} AND c.calls > c.local_calls) OR ({with_requests:Bool} AND c.requests > 0))
)
WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
    AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
    AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
GROUP BY key1, key2, key3, key4, key5
ORDER BY amount_usd DESC NULLS LAST, calls DESC, requests DESC, key1, key2, key3, key4, key5
LIMIT {limit:UInt32}
