-- How much of each resource was there as a whole? A machine is billed by the time that it was there, not by what spans claim of it.
-- Where there is: work_resources
INSERT INTO estimates_settled (window, tenant, settlement, category, resource, provider, account, unit, quantity, seen, amount_usd)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    category,
    resource,
    '' AS provider,
    '' AS account,
    unit,
    toDecimal128(0, 9) AS quantity,
    sum(there) AS seen,
    toDecimal128(0, 18) AS amount_usd
FROM (SELECT category, resource, unit, quantity AS there FROM work_resources WHERE settlement = {settlement:UInt64})
GROUP BY category, resource, unit
