-- How busy was the CPU of each machine with the processes that report to us?
-- Capacity: logical CPUs x time from the first to the last of their readings.
-- Where there is: work_busy_cpus
INSERT INTO accelerator_usage_settled
WITH held AS (
    SELECT
        host,
        intervalLengthSum(toUnixTimestamp64Nano(start_time), toUnixTimestamp64Nano(start_time) + duration_ns) / 1e9 AS inference_busy_seconds
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND host != '' AND tollbook_kind = 'inference' AND location != 'remote'
    GROUP BY host
),
money AS (
    SELECT resource, sumIf(amount_usd, allocation = 'request') AS cost_usd, sumIf(amount_usd, allocation = 'idle') AS idle_usd
    FROM work_lines
    WHERE settlement = {settlement:UInt64} AND category = 'compute'
    GROUP BY resource
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    concat('cpu:', u.host) AS device,
    'cpu' AS kind,
    u.host AS host,
    u.service_name AS service_name,
    if(u.logical_cpus > 0, concat(toString(u.logical_cpus), ' logical CPUs'), '') AS model,
    u.samples AS samples,
    if(capacity_seconds > 0, u.busy_seconds / capacity_seconds, NULL) AS busy_ratio_avg,
    u.busy_seconds AS busy_seconds,
    if(u.logical_cpus > 0, u.logical_cpus * u.observed_seconds, NULL) AS capacity_seconds,
    if(h.host = '', NULL, h.inference_busy_seconds) AS inference_busy_seconds,
    'process.cpu.time' AS source,
    if(k.resource = '', NULL, k.cost_usd) AS cost_usd,
    if(k.resource = '', NULL, k.idle_usd) AS idle_usd,
    NULL AS joules,
    NULL AS request_joules,
    NULL AS energy_usd
FROM (SELECT * FROM work_busy_cpus WHERE settlement = {settlement:UInt64}) AS u
LEFT ANY JOIN held AS h ON u.host = h.host
LEFT ANY JOIN money AS k ON concat('host:', u.host) = k.resource
