-- How busy was the CPU of each machine with the processes that report to us?
-- Capacity: logical CPUs x time from the first to the last of their readings.
-- Where there is: work_busy_cpus, work_machine_parts
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
),
energy AS (
    SELECT device, sum(joules) AS all_joules, sumIf(joules, state = 'active') AS request_joules, sumOrNull(cost_usd) AS energy_usd
    FROM accelerator_energy_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND startsWith(device, 'cpu:')
    GROUP BY device
),
told AS (
    SELECT host, toString(service_name) AS service_name, samples, toNullable(busy_seconds) AS busy_seconds, observed_seconds, logical_cpus
    FROM work_busy_cpus
    WHERE settlement = {settlement:UInt64}
    UNION ALL
    SELECT host, '' AS service_name, 0 AS samples, NULL AS busy_seconds, 0 AS observed_seconds, 0 AS logical_cpus
    FROM work_machine_parts
    WHERE settlement = {settlement:UInt64} AND host NOT IN (SELECT host FROM work_busy_cpus WHERE settlement = {settlement:UInt64})
    GROUP BY host
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
    if(isNull(u.busy_seconds), 'none: only meters of energy tell', 'process.cpu.time') AS source,
    if(k.resource = '', NULL, k.cost_usd) AS cost_usd,
    if(k.resource = '', NULL, k.idle_usd) AS idle_usd,
    if(e.device = '', NULL, e.all_joules) AS joules,
    if(e.device = '', NULL, e.request_joules) AS request_joules,
    if(e.device = '', NULL, e.energy_usd) AS energy_usd
FROM told AS u
LEFT ANY JOIN energy AS e ON concat('cpu:', u.host) = e.device
LEFT ANY JOIN held AS h ON u.host = h.host
LEFT ANY JOIN money AS k ON concat('host:', u.host) = k.resource
