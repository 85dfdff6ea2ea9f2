-- Which accelerators does a machine's rate pay for that nothing was heard of? They are unallocated.
-- Where there is: hosts
-- Where there is: rates
INSERT INTO work_left
SELECT
    {settlement:UInt64} AS settlement,
    'accelerator' AS category,
    concat('accelerator:', host, '/not heard of') AS resource,
    host AS node,
    cluster,
    'accelerator unallocated' AS item,
    'idle' AS allocation,
    first_seen AS start_time,
    toDecimal128(toDecimal256((h.accelerators - ifNull(d.devices, 0)) * h.observed_ns, 9) / toInt256(1000000000), 9) AS quantity,
    's' AS unit,
    assumeNotNull(h.accelerator_usd) - ifNull(d.usd, toDecimal128(0, 18)) AS amount_usd,
    rate_id AS price_id,
    splitByChar('@', toString(rate_id))[-1] AS price_version,
    'computed' AS basis,
    'accelerators that the rate of the machine pays for and nothing was heard of' AS method
FROM (
    SELECT * FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND accelerators > 0
) AS h
LEFT ANY JOIN (
    SELECT host AS machine, count() AS devices, sum(work_devices.amount_usd) AS usd FROM work_devices
    WHERE settlement = {settlement:UInt64} AND work_devices.until_ns > since_ns
    GROUP BY host
) AS d ON h.host = d.machine
WHERE h.accelerators > d.devices AND amount_usd > 0;

INSERT INTO work_resources
SELECT settlement, category, resource, quantity, unit, amount_usd, price_id, price_version, basis
FROM work_left
WHERE settlement = {settlement:UInt64} AND endsWith(resource, '/not heard of')
