-- How much of each resource was there as a whole? A machine is billed by the time that it was there, not by what spans claim of it; one without a rate too.
-- Where there is: work_resources, hosts
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
FROM (
    SELECT category, resource, unit, quantity AS there FROM work_resources WHERE settlement = {settlement:UInt64}
    UNION ALL
    SELECT
        'compute' AS category, concat('host:', host) AS resource, 's' AS unit, toDecimal128(toDecimal256(observed_ns, 9) / toInt256(1000000000), 9) AS there
    FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id = '' AND observed_ns > 0
)
GROUP BY category, resource, unit
