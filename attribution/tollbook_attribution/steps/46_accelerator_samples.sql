-- How busy do samples say each accelerator was? The mean of them; one told twice counts once, one marked as without a value not at all.
-- Of a device in slices whose own figure nobody tells: the mean of each slice by its part of the device. Exporters' metrics are read under
-- their own names too; the driver's figure of DCGM counts where there is no better one, and never for a slice. What tells in percent is a
-- hundredth of it, by its name, by its unit, or as most of its values are more than 1; a UUID as nvidia-smi's exporter gives it is the one that
-- NVML has with GPU- before it. Cores of AWS' Neuron are devices by themselves.
-- Regular samples stand for the time up to the hour's border, as of machines (`40_hosts_1_seen`).
-- Where there is: metrics
INSERT INTO work_device_samples
WITH
toUnixTimestamp64Nano(toDateTime64({window:DateTime('UTC')}, 9, 'UTC')) AS opens_ns,
toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) AS closes_ns,
read AS (
    SELECT DISTINCT
        name, time, attributes,
        multiIf(name = 'hw.gpu.utilization', 1, name IN ('DCGM_FI_PROF_GR_ENGINE_ACTIVE', 'gpu.dcgm.utilization'), 2, 3) AS rank,
        if(
            unit IN ('%', 'percent') OR (rank = 3 AND name NOT IN ('nvidia_smi_utilization_gpu_ratio', 'nvml.gpu.utilization', 'neuroncore_utilization_ratio')),
            value / 100, value
        ) AS told_ratio,
        transform(arrayFirst(word -> word != '', [
            toString(host_id), toString(host_name), attributes['Hostname'], attributes['hostname'], attributes['nodeid'], attributes['node'],
            attributes['node_name'], if(startsWith(name, 'neuron'), attributes['instance_id'], '')
        ]), {host_names:Array(String)}, {host_ids:Array(String)}) AS machine,
        arrayFirst(word -> word != '', [
            attributes['hw.id'], attributes['UUID'], attributes['deviceuuid'], attributes['device_uuid'], attributes['uuid'],
            attributes['gpu_uuid'], attributes['gpu.uuid'], JSONExtractString(resource, 'gpu.uuid'), attributes['accelerator_id'], attributes['gpu_number'],
            attributes['gpu.number'], attributes['gpu.index'], attributes['minor_number'], attributes['gpu_id'], attributes['device_id'], attributes['gpu'],
            if(attributes['neuroncore'] = '', '', concat('neuroncore', attributes['neuroncore'])), attributes['vdie_id'], attributes['npuID'], attributes['dev_file'],
            if(startsWith(name, 'npu_'), attributes['id'], ''), if(startsWith(name, 'habanalabs_'), attributes['device'], ''), machine
        ]) AS told_id,
        if(match(told_id, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'), concat('GPU-', told_id), told_id) AS id,
        multiIf(attributes['hw.parent'] != '', attributes['hw.parent'], attributes['GPU_I_ID'] != '', id, '') AS parent,
        if(parent != '', parent, id) AS whole,
        if(match(whole, '^(/dev/)?[a-zA-Z]{0,10}[0-9]{1,3}$') AND machine != '' AND whole != machine, concat(machine, '/', whole), whole) AS device,
        if(parent != '', concat(id, ' ', attributes['GPU_I_ID']), '') AS slice,
        arrayFirst(word -> word != '', [
            attributes['hw.model'], attributes['modelName'], attributes['devicetype'], attributes['device_type'], attributes['card_series'],
            attributes['gpu.model'], attributes['gpu.name'], JSONExtractString(resource, 'gpu.model'), attributes['model'], attributes['model_name'],
            if(startsWith(name, 'nvidia_gpu_'), attributes['name'], '')
        ]) AS model_name,
        arrayFirst(word -> word != '', [attributes['tollbook.accelerator.profile'], attributes['GPU_I_PROFILE']]) AS profile
    FROM metrics
    WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
        AND name IN (
            'hw.gpu.utilization', 'DCGM_FI_PROF_GR_ENGINE_ACTIVE', 'gpu.dcgm.utilization', 'DCGM_FI_DEV_GPU_UTIL', 'HostCoreUtilization',
            'hami_host_gpu_utilization_ratio', 'nvidia_smi_utilization_gpu_ratio', 'nvml.gpu.utilization', 'agent.googleapis.com/gpu/utilization',
            'nvidia_gpu_duty_cycle', 'gpu_gfx_activity', 'amd_gpu_gfx_activity', 'GPU_GFX_ACTIVITY', 'gpu.utilization',
            'tpu.runtime.tensorcore.dutycycle.percent', 'kubernetes.io/node/accelerator/duty_cycle', 'kubernetes_io:node_accelerator_duty_cycle',
            'duty_cycle', 'habanalabs_utilization', 'neuroncore_utilization_ratio', 'npu_chip_info_utilization', 'xpum_engine_ratio'
        )
        AND value >= 0 AND value <= 100 AND attributes['hw.gpu.task'] IN ('', 'general') AND bitAnd(flags, 1) = 0
        AND NOT (name = 'DCGM_FI_DEV_GPU_UTIL' AND attributes['GPU_I_ID'] != '')
),
means AS (
    SELECT
        device, slice, max(machine) AS host, max(model_name) AS model, argMin(name, rank) AS source, countIf(rank = best) AS samples,
        avgIf(ratio, rank = best) AS busy,
        toUnixTimestamp64Nano(min(time)) AS first_ns, toUnixTimestamp64Nano(max(time)) AS last_ns,
        intDiv(last_ns - first_ns, greatest(toInt64(uniqExact(time)) - 1, 1)) AS mean_ns,
        if(uniqExact(time) >= 3 AND mean_ns <= 600000000000, intDiv(mean_ns * 3, 2), 0) AS most_ns,
        if(first_ns - opens_ns <= most_ns, opens_ns, first_ns) AS since_ns,
        if(closes_ns - last_ns <= most_ns, closes_ns, last_ns) AS until_ns,
        least(
            toUInt64OrZero(if(match(max(profile), '[0-9]+c\\.'), extract(max(profile), '([0-9]+)c\\.'), extract(max(profile), '([0-9]+)g')))
            / if(match(model, 'A30\\b|RTX PRO'), 4, 7), 1
        ) AS part
    FROM (
        SELECT *, min(rank) OVER (PARTITION BY device, slice) AS best
        FROM (
            SELECT
                *,
                if(
                    countIf(told_ratio > 1) OVER (PARTITION BY device, slice, name) * 2 > countIf(told_ratio > 0) OVER (PARTITION BY device, slice, name),
                    told_ratio / 100, told_ratio
                ) AS ratio
            FROM read
        )
        WHERE ratio BETWEEN 0 AND 1
    )
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
    min(m.since_ns) AS since_ns,
    max(m.until_ns) AS until_ns
FROM (SELECT *, max(slice = '') OVER (PARTITION BY device) AS told_whole FROM means) AS m
GROUP BY device, told_whole
