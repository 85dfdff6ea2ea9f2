-- How busy was each accelerator? The mean of its samples over the time from the first to the last of them.
-- A device that spans name and no sample tells of is listed as unknown. Money: what requests bear of it, and what of it nobody does.
-- Where there is: work_held_spans, work_device_samples, work_energy
INSERT INTO accelerator_usage_settled
WITH samples AS (
    SELECT *, (until_ns - since_ns) / 1e9 AS seconds FROM work_device_samples WHERE settlement = {settlement:UInt64}
),
held AS (
    SELECT device, max(host) AS machine, intervalLengthSum(start_ns, end_ns) / 1e9 AS inference_busy_seconds
    FROM work_held_spans
    WHERE settlement = {settlement:UInt64} AND state IN ('', 'active')
    GROUP BY device
),
money AS (
    SELECT resource, sumIf(amount_usd, allocation = 'request') AS cost_usd, sumIf(amount_usd, allocation = 'idle') AS idle_usd
    FROM work_lines
    WHERE settlement = {settlement:UInt64} AND category = 'accelerator'
    GROUP BY resource
),
energy AS (
    SELECT device, sum(joules) AS all_joules, sumIf(joules, state = 'active') AS request_joules, sumOrNull(cost_usd) AS energy_usd
    FROM accelerator_energy_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
    GROUP BY device
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    d.device AS device,
    'gpu' AS kind,
    d.host AS host,
    '' AS service_name,
    d.model AS model,
    m.samples AS samples,
    if(m.samples = 0, NULL, m.busy_ratio) AS busy_ratio_avg,
    if(m.samples = 0, NULL, m.busy_ratio * m.seconds) AS busy_seconds,
    if(m.samples = 0, NULL, m.seconds) AS capacity_seconds,
    if(s.device = '', NULL, s.inference_busy_seconds) AS inference_busy_seconds,
    if(m.samples = 0, 'none: only spans name the device', toString(m.source)) AS source,
    if(k.resource = '', NULL, k.cost_usd) AS cost_usd,
    if(k.resource = '', NULL, k.idle_usd) AS idle_usd,
    if(e.device = '', NULL, e.all_joules) AS joules,
    if(e.device = '', NULL, e.request_joules) AS request_joules,
    if(e.device = '', NULL, e.energy_usd) AS energy_usd
FROM (SELECT * FROM work_devices WHERE settlement = {settlement:UInt64}) AS d
LEFT ANY JOIN samples AS m ON d.device = m.device
LEFT ANY JOIN held AS s ON d.device = s.device
LEFT ANY JOIN energy AS e ON d.device = e.device
LEFT ANY JOIN money AS k ON concat('accelerator:', d.device) = k.resource
