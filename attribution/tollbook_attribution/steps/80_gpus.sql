-- How busy was each GPU? The mean of its samples over the time from the first to the last of them.
-- A GPU that spans name and no sample tells of is listed as unknown.
INSERT INTO accelerator_usage_settled
WITH samples AS (
    SELECT
        if(attributes['hw.id'] != '', attributes['hw.id'], if(host_id != '', host_id, host_name)) AS device,
        max(if(host_id != '', host_id, host_name)) AS host,
        max(attributes['hw.model']) AS model,
        count() AS samples,
        avg(value) AS busy_ratio,
        (toUnixTimestamp64Nano(max(time)) - toUnixTimestamp64Nano(min(time))) / 1e9 AS capacity_seconds
    FROM (SELECT DISTINCT tenant, name, time, value, flags, attributes, host_id, host_name FROM metrics)
    WHERE tenant = {tenant:String} AND name = 'hw.gpu.utilization' AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
        AND value BETWEEN 0 AND 1 AND attributes['hw.gpu.task'] IN ('', 'general')
        AND bitAnd(flags, 1) = 0
    GROUP BY device
),
spans AS (
    SELECT
        accelerator_id AS device,
        max(host) AS host,
        intervalLengthSum(toUnixTimestamp64Nano(start_time), toUnixTimestamp64Nano(start_time) + duration_ns) / 1e9 AS inference_busy_seconds
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND accelerator_id != ''
    GROUP BY accelerator_id
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    if(m.device != '', m.device, toString(s.device)) AS device,
    'gpu' AS kind,
    if(m.device != '', m.host, toString(s.host)) AS host,
    '' AS service_name,
    m.model AS model,
    m.samples AS samples,
    if(m.samples = 0, NULL, m.busy_ratio) AS busy_ratio_avg,
    if(m.samples = 0, NULL, m.busy_ratio * m.capacity_seconds) AS busy_seconds,
    if(m.samples = 0, NULL, m.capacity_seconds) AS capacity_seconds,
    if(s.device = '', NULL, s.inference_busy_seconds) AS inference_busy_seconds,
    if(m.samples = 0, 'none: only spans name the device', 'hw.gpu.utilization') AS source,
    NULL AS cost_usd,
    NULL AS idle_usd
FROM samples AS m
FULL JOIN spans AS s ON m.device = s.device
