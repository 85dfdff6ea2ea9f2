-- What energy do meters tell of each accelerator and machine, from instant to instant?
-- What a counter of joules grew by; without one, watts between samples that are no more than ten minutes apart. Where several tell of one device at the
-- same time (processes, pods, slices), their mean: a device's energy counts once. Where the first or the last reading of the hour is no more than one and a
-- half usual intervals from the hour's border, it stands for the time up to there, so that hours add up.
-- Of a machine what tells of all of it counts; else its packages and memory, each for itself; else what is inside of these. Each part has an axis of its
-- own, named `cpu:`, the machine, a tab and the part. RAPL is read as Kepler, Scaphandre and the node exporter name it.
-- In microwatts and whole nanojoules, so that no order of adding changes a sum.
-- Where there is: metrics
INSERT INTO work_energy
WITH read AS (
    SELECT DISTINCT
        toUnixTimestamp64Nano(time) AS at_ns, temporality,
        name LIKE '%joules%' OR name LIKE '%energy%' OR name = 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION' AS meter,
        multiIf(
            name IN ('DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION', 'nvidia_gpu_power_usage_milliwatts', 'habanalabs_power_mW', 'habanalabs_energy'), value / 1000,
            name LIKE 'scaph%' OR name LIKE '%gpu_energy_consumed', value / 1000000,
            value
        ) AS amount,
        cityHash64(name, service_name, service_instance_id, ifNull(process_pid, -1), host_id, host_name, toString(attributes)) AS series,
        transform(arrayFirst(word -> word != '', [
            toString(host_id), toString(host_name), attributes['Hostname'], attributes['hostname'], attributes['nodeid'], attributes['node'],
            attributes['node_name'], JSONExtractString(resource, 'k8s.node.name'), attributes['exported_instance'], replaceRegexpOne(attributes['instance'], ':[0-9]+$', '')
        ]), {host_names:Array(String)}, {host_ids:Array(String)}) AS machine,
        lower(arrayFirst(word -> word != '', [
            attributes['zone'], attributes['domain_name'], if(name LIKE 'hw.%', attributes['hw.type'], ''),
            extract(name, '^(?:kepler_node|node_rapl|scaph)_(platform|host|package|socket|dram|core|uncore)_')
        ])) AS told_of,
        multiIf(
            name LIKE 'hw.host.%', 1,
            NOT (name LIKE 'kepler_node_%' OR name LIKE 'node_rapl_%' OR name LIKE 'scaph_%' OR lower(attributes['hw.type']) IN ('cpu', 'memory')), 0,
            told_of IN ('platform', 'host', 'psys'), 1,
            told_of IN ('core', 'uncore'), 3,
            2
        ) AS scope,
        concat(
            multiIf(scope = 1, 'machine', told_of IN ('memory', 'dram'), 'memory', scope = 2, 'package', told_of), ' ',
            if(scope = 1, '', arrayFirst(word -> word != '', [
                attributes['socket_id'], attributes['package'], attributes['index'], attributes['hw.id'], extract(attributes['path'], ':([0-9]+)')
            ])),
            if(attributes['mode'] IN ('dynamic', 'idle'), concat(' ', attributes['mode']), '')
        ) AS part,
        arrayFirst(word -> word != '', [
            attributes['hw.parent'], attributes['hw.id'], attributes['UUID'], attributes['deviceuuid'], attributes['device_uuid'], attributes['uuid'],
            attributes['gpu_uuid'], attributes['gpu.uuid'], JSONExtractString(resource, 'gpu.uuid'), attributes['accelerator_id'], attributes['gpu_number'],
            attributes['gpu.number'], attributes['gpu.index'], attributes['minor_number'], attributes['gpu_id'], attributes['device_id'], attributes['gpu'],
            attributes['vdie_id'], attributes['npuID'], attributes['dev_file'], if(startsWith(name, 'npu_'), attributes['id'], ''),
            if(startsWith(name, 'habanalabs_'), attributes['device'], ''), machine
        ]) AS told_id,
        if(match(told_id, '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'), concat('GPU-', told_id), told_id) AS id,
        multiIf(
            scope > 0, if(machine = '', '', concat('cpu:', machine, '\t', trimBoth(part))),
            match(id, '^(/dev/)?[a-zA-Z]{0,10}[0-9]{1,3}$') AND machine != '' AND id != machine, concat(machine, '/', id),
            id
        ) AS device,
        arrayFirst(word -> word != '', [
            attributes['hw.model'], attributes['modelName'], attributes['devicetype'], attributes['device_type'], attributes['card_series'],
            attributes['gpu.model'], attributes['gpu.name'], JSONExtractString(resource, 'gpu.model'), attributes['model'], attributes['model_name'],
            if(startsWith(name, 'nvidia_gpu_'), attributes['name'], '')
        ]) AS model,
        JSONExtractString(resource, 'tollbook.site') AS site,
        JSONExtractString(resource, 'cloud.region') AS region
    FROM metrics
    WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
        AND name IN (
            'hw.energy', 'hw.power', 'hw.gpu.energy.consumed', 'hw.gpu.power.draw', 'DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION', 'DCGM_FI_DEV_POWER_USAGE',
            'hami_host_gpu_power_usage_watts', 'gpu.dcgm.energy_consumption', 'nvidia_smi_power_draw_watts', 'nvidia_gpu_power_usage_milliwatts',
            'habanalabs_power_mW', 'habanalabs_energy', 'npu_chip_info_power', 'xpum_power_watts', 'xpum_energy_joules',
            'gpu_package_power', 'amd_gpu_package_power', 'GPU_PACKAGE_POWER', 'gpu_energy_consumed', 'amd_gpu_energy_consumed', 'gpu.power.draw',
            'hw.host.energy', 'hw.host.power', 'kepler_node_cpu_joules_total', 'kepler_node_cpu_watts', 'kepler_node_platform_joules_total',
            'kepler_node_platform_watts', 'kepler_node_package_joules_total', 'kepler_node_dram_joules_total', 'kepler_node_core_joules_total',
            'kepler_node_uncore_joules_total', 'node_rapl_package_joules_total', 'node_rapl_dram_joules_total', 'node_rapl_core_joules_total',
            'node_rapl_uncore_joules_total', 'scaph_host_energy_microjoules', 'scaph_host_power_microwatts', 'scaph_socket_energy_microjoules',
            'scaph_socket_power_microwatts', 'scaph_domain_energy_microjoules', 'scaph_domain_power_microwatts'
        )
        AND value >= 0 AND value < 1e18 AND bitAnd(flags, 1) = 0
        AND lower(attributes['hw.type']) NOT IN (
            'battery', 'disk', 'disk_controller', 'enclosure', 'fan', 'logical_disk', 'network', 'physical_disk', 'power_supply', 'tape_drive',
            'temperature', 'voltage'
        )
),
stepped AS (
    SELECT
        *,
        lagInFrame(at_ns, 1, at_ns) OVER each AS before_ns,
        lagInFrame(amount, 1, amount) OVER each AS before,
        max(meter) OVER (PARTITION BY device) AS has_meter,
        min(scope) OVER (PARTITION BY scope > 0, machine) AS widest
    FROM read
    WHERE device != ''
    WINDOW each AS (PARTITION BY device, series ORDER BY at_ns, amount ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
intervals AS (
    SELECT
        device, series, machine, model, site, region, before_ns AS from_ns, at_ns AS upto_ns,
        multiIf(
            NOT meter, (before + amount) / 2,
            (multiIf(temporality = 'delta', amount, amount >= before, amount - before, amount)) * 1e9 / (at_ns - before_ns)
        ) AS watts
    FROM stepped
    WHERE at_ns > before_ns AND meter = has_meter AND scope = widest AND (meter OR at_ns - before_ns <= 600000000000)
),
bordered AS (
    SELECT
        *,
        toInt64(quantileExact(0.5)(upto_ns - from_ns) OVER (PARTITION BY device, series) * 1.5) AS most_ns,
        min(from_ns) OVER (PARTITION BY device, series) AS first_ns,
        max(upto_ns) OVER (PARTITION BY device, series) AS last_ns,
        toUnixTimestamp64Nano(toDateTime64({window:DateTime('UTC')}, 9, 'UTC')) AS opens_ns,
        toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) AS closes_ns
    FROM intervals
    WHERE watts BETWEEN 0 AND 1e6
),
told AS (
    SELECT
        device, machine, model, site, region, first_ns, last_ns, toInt64(round(watts * 1e6)) AS microwatts,
        if(from_ns = first_ns AND first_ns - opens_ns <= most_ns, opens_ns, from_ns) AS from_ns,
        if(upto_ns = last_ns AND closes_ns - last_ns <= most_ns, closes_ns, upto_ns) AS upto_ns
    FROM bordered
),
named AS (
    SELECT
        device, max(machine) AS host, max(told.model) AS model, max(told.site) AS site, max(told.region) AS region, min(told.first_ns) AS first_ns,
        max(told.last_ns) AS last_ns
    FROM told
    GROUP BY device
),
events AS (
    SELECT device, at_ns, sum(ends.change) AS change, sum(ends.teller) AS teller
    FROM (
        SELECT device, from_ns AS at_ns, microwatts AS change, 1 AS teller FROM told
        UNION ALL
        SELECT device, upto_ns AS at_ns, -microwatts AS change, -1 AS teller FROM told
    ) AS ends
    GROUP BY device, at_ns
),
swept AS (
    SELECT
        device, at_ns,
        leadInFrame(at_ns, 1, at_ns) OVER (PARTITION BY device ORDER BY at_ns ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS next_ns,
        sum(change) OVER each AS power,
        sum(teller) OVER each AS telling,
        if(telling > 0, toInt128(next_ns - at_ns) * intDiv(power, greatest(telling, 1)), toInt128(0)) AS femtojoules
    FROM events
    WINDOW each AS (PARTITION BY device ORDER BY at_ns ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
summed AS (
    SELECT
        device, at_ns, next_ns, femtojoules,
        sum(femtojoules) OVER (PARTITION BY device ORDER BY at_ns ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS upto
    FROM swept
)
SELECT
    {settlement:UInt64} AS settlement,
    s.device AS device,
    n.host AS host,
    n.model AS model,
    n.site AS site,
    n.region AS region,
    n.first_ns AS first_ns,
    n.last_ns AS last_ns,
    s.at_ns AS at_ns,
    s.next_ns AS until_ns,
    toInt64(intDiv(s.upto - s.femtojoules, 1000000)) AS from_nj,
    toInt64(intDiv(s.upto, 1000000)) AS upto_nj
FROM summed AS s
INNER JOIN named AS n ON s.device = n.device
WHERE s.next_ns > s.at_ns
