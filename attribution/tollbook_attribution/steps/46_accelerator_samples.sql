-- How busy do samples say each accelerator was? The mean of them; one told twice counts once, one marked as without a value not at all.
-- Of a device in slices whose own figure nobody tells: the mean of each slice by its part of the device. DCGM's and HAMi's metrics are read
-- under their own names too; the driver's figure of DCGM counts where there is no better one, and never for a slice.
-- Where there is: metrics
INSERT INTO work_device_samples
WITH read AS (
    SELECT DISTINCT
        name, time, attributes,
        multiIf(name = 'hw.gpu.utilization', 1, name = 'DCGM_FI_PROF_GR_ENGINE_ACTIVE', 2, 3) AS rank,
        if(rank = 3, value / 100, value) AS ratio,
        arrayFirst(word -> word != '', [toString(host_id), toString(host_name), attributes['Hostname'], attributes['nodeid'], attributes['node']]) AS machine,
        arrayFirst(word -> word != '', [attributes['hw.id'], attributes['UUID'], attributes['deviceuuid'], attributes['device_uuid'], machine]) AS id,
        multiIf(attributes['hw.parent'] != '', attributes['hw.parent'], attributes['GPU_I_ID'] != '', id, '') AS parent,
        if(parent != '', parent, id) AS whole,
        if(match(whole, '^(/dev/)?[a-zA-Z]{0,8}[0-9]{1,3}$') AND machine != '' AND whole != machine, concat(machine, '/', whole), whole) AS device,
        if(parent != '', concat(id, ' ', attributes['GPU_I_ID']), '') AS slice,
        arrayFirst(word -> word != '', [attributes['hw.model'], attributes['modelName'], attributes['devicetype'], attributes['device_type']]) AS model_name,
        arrayFirst(word -> word != '', [attributes['tollbook.accelerator.profile'], attributes['GPU_I_PROFILE']]) AS profile
    FROM metrics
    WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
        AND name IN ('hw.gpu.utilization', 'DCGM_FI_PROF_GR_ENGINE_ACTIVE', 'DCGM_FI_DEV_GPU_UTIL', 'HostCoreUtilization', 'hami_host_gpu_utilization_ratio')
        AND value >= 0 AND value <= 100 AND attributes['hw.gpu.task'] IN ('', 'general') AND bitAnd(flags, 1) = 0
        AND NOT (name = 'DCGM_FI_DEV_GPU_UTIL' AND attributes['GPU_I_ID'] != '')
),
means AS (
    SELECT
        device, slice, max(machine) AS host, max(model_name) AS model, argMin(name, rank) AS source, countIf(rank = best) AS samples,
        avgIf(ratio, rank = best) AS busy, min(time) AS since, max(time) AS until,
        least(
            toUInt64OrZero(if(match(max(profile), '[0-9]+c\\.'), extract(max(profile), '([0-9]+)c\\.'), extract(max(profile), '([0-9]+)g')))
            / if(match(model, 'A30\\b|RTX PRO'), 4, 7), 1
        ) AS part
    FROM (SELECT *, min(rank) OVER (PARTITION BY device, slice) AS best FROM read WHERE ratio BETWEEN 0 AND 1)
    GROUP BY device, slice
)
SELECT
    {settlement:UInt64} AS settlement,
    device,
    max(m.host) AS host,
    max(m.model) AS model,
    argMax(m.source, m.slice = '') AS source,
    if(told_whole, sumIf(m.samples, m.slice = ''), sum(m.samples)) AS samples,
    if(told_whole, sumIf(m.busy, m.slice = ''), least(sum(m.busy * m.part), 1)) AS busy_ratio,
    toUnixTimestamp64Nano(min(m.since)) AS since_ns,
    toUnixTimestamp64Nano(max(m.until)) AS until_ns
FROM (SELECT *, max(slice = '') OVER (PARTITION BY device) AS told_whole FROM means) AS m
GROUP BY device, told_whole
