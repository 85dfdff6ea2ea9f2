-- How busy was the CPU of each machine with the processes that report to us?
-- Busy: what their cumulative process.cpu.time grew by; a counter that falls has begun again at zero; a counter that began within the
-- window counts from its beginning. A point told twice counts once; one that says it has no value (flag 1) is none.
-- Capacity: logical CPUs x time from the first to the last of these readings.
INSERT INTO accelerator_usage_settled
WITH readings AS (
    SELECT
        if(host_id != '', host_id, host_name) AS host,
        service_name,
        cityHash64(service_name, service_instance_id, ifNull(process_pid, -1), toString(attributes)) AS series,
        time,
        temporality,
        value,
        greatest(start_time, toDateTime64({window:DateTime('UTC')}, 9, 'UTC')) AS began,
        start_time >= {window:DateTime('UTC')} AS began_here
    FROM metrics
    WHERE tenant = {tenant:String} AND name = 'process.cpu.time' AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')} AND value >= 0
        AND bitAnd(flags, 1) = 0
    LIMIT 1 BY host, series, time
),
grown AS (
    SELECT
        host, service_name, time, began, began_here,
        row_number() OVER each AS place,
        lagInFrame(value) OVER each AS before,
        multiIf(
            temporality = 'delta', value,
            place = 1, if(began_here, value, 0),
            value >= before, value - before,
            value
        ) AS busy_s
    FROM readings
    WINDOW each AS (PARTITION BY host, series ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
cpus AS (
    SELECT if(host_id != '', host_id, host_name) AS host, max(value) AS logical
    FROM metrics
    WHERE tenant = {tenant:String} AND name = 'system.cpu.logical.count' AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
    GROUP BY host
),
used AS (
    SELECT
        host,
        if(uniqExact(service_name) = 1, any(service_name), '') AS service_name,
        count() AS samples,
        sum(busy_s) AS busy_seconds,
        (toUnixTimestamp64Nano(max(time)) - toUnixTimestamp64Nano(min(if(place = 1 AND began_here, began, time)))) / 1e9 AS observed_seconds
    FROM grown
    GROUP BY host
),
held AS (
    SELECT
        host,
        intervalLengthSum(toUnixTimestamp64Nano(start_time), toUnixTimestamp64Nano(start_time) + duration_ns) / 1e9 AS inference_busy_seconds
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND host != '' AND tollbook_kind = 'inference' AND location != 'remote'
    GROUP BY host
),
money AS (
    SELECT resource, sumIf(amount_usd, allocation = 'request') AS cost_usd, sumIf(amount_usd, allocation = 'idle') AS idle_usd
    FROM ledger_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND category = 'compute'
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
    if(c.logical > 0, concat(toString(c.logical), ' logical CPUs'), '') AS model,
    u.samples AS samples,
    if(capacity_seconds > 0, u.busy_seconds / capacity_seconds, NULL) AS busy_ratio_avg,
    u.busy_seconds AS busy_seconds,
    if(c.logical > 0, c.logical * u.observed_seconds, NULL) AS capacity_seconds,
    if(h.host = '', NULL, h.inference_busy_seconds) AS inference_busy_seconds,
    'process.cpu.time' AS source,
    if(k.resource = '', NULL, k.cost_usd) AS cost_usd,
    if(k.resource = '', NULL, k.idle_usd) AS idle_usd
FROM used AS u
LEFT ANY JOIN cpus AS c ON u.host = c.host
LEFT ANY JOIN held AS h ON u.host = h.host
LEFT ANY JOIN money AS k ON concat('host:', u.host) = k.resource
