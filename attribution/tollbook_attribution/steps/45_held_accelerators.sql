-- Which spans name an accelerator, which fraction of it, and what do they do on it?
-- The device of a fraction is its parent. An index such as 0 is of its machine, any other name is of the world. A fraction is what the span
-- says of compute instances (1g.10gb: a seventh) or of a share (HAMi, MPS); those who say nothing share the device in time.
-- A span may name several devices, in a list or with commas between them, and holds each; as many models are of one each.
-- Whatever is not known to be some other part of a machine (hw.type) is an accelerator, whoever made it.
-- A span holds what it names itself; where only its resource names the device, model calls made in the process hold it. While it reads
-- data, the device waits; what loads a model is told apart.
-- Trace by trace.
-- Where there is: accelerators
INSERT INTO work_held_spans
WITH named AS (
    SELECT
        trace_id,
        span_id,
        max(accelerator_id) AS id,
        max(if(
            accelerator_model != '', toString(accelerator_model),
            arrayStringConcat(JSONExtract(if(attributes['hw.model'] != '', attributes['hw.model'], JSONExtractRaw(resource, 'hw.model')), 'Array(String)'), ',')
        )) AS models,
        max(if(attributes['hw.parent'] != '', attributes['hw.parent'], JSONExtractString(resource, 'hw.parent'))) AS parent,
        max(arrayFirst(value -> value != '', [
            attributes['tollbook.accelerator.profile'], attributes['GPU_I_PROFILE'],
            JSONExtractString(resource, 'tollbook.accelerator.profile'), JSONExtractString(resource, 'GPU_I_PROFILE')
        ])) AS profile,
        max(if(attributes['GPU_I_ID'] != '', attributes['GPU_I_ID'], JSONExtractString(resource, 'GPU_I_ID'))) AS instance,
        -- what MPS is told in the process's environment is in percent
        max(arrayFirst(value -> value NOT IN ('', '%'), [
            attributes['tollbook.accelerator.share'], trimBoth(JSONExtractRaw(resource, 'tollbook.accelerator.share'), '"'),
            concat(trimBoth(JSONExtractRaw(resource, 'process.environment_variable.CUDA_MPS_ACTIVE_THREAD_PERCENTAGE'), '"'), '%')
        ])) AS share,
        max(lower(attributes['tollbook.accelerator.state'])) AS said,
        max(k8s_pod_name) AS pod,
        max(NOT has([JSONExtractString(resource, 'hw.id'), arrayStringConcat(JSONExtract(resource, 'hw.id', 'Array(String)'), ',')], accelerator_id)) AS by_itself,
        toUInt64(max(greatest(ifNull(input_tokens, 0), 0) + greatest(ifNull(output_tokens, 0), 0))) AS tokens,
        toUInt64(max(greatest(ifNull(batch_size, 0), 0))) AS items
    FROM spans
    WHERE tenant = {tenant:String}
        AND start_time >= (SELECT ifNull(minOrNull(began), {window:DateTime('UTC')}) FROM work_long_spans WHERE settlement = {settlement:UInt64})
        AND start_time < {until:DateTime64(9, 'UTC')}
        AND (
            start_time >= {window:DateTime('UTC')}
            OR (trace_id, span_id) GLOBAL IN (SELECT trace_id, span_id FROM work_long_spans WHERE settlement = {settlement:UInt64})
        )
        AND trace_id BETWEEN unhex({first_trace:String}) AND unhex({last_trace:String})
        AND accelerator_id != '' AND lower(accelerator_type) NOT IN (
            'battery', 'cpu', 'disk', 'disk_controller', 'enclosure', 'fan', 'logical_disk', 'memory', 'network', 'physical_disk', 'power_supply',
            'tape_drive', 'temperature', 'voltage'
        )
    GROUP BY trace_id, span_id
),
held AS (
    SELECT
        n.* EXCEPT (id),
        s.*,
        arrayFilter(name -> name != '', arrayMap(name -> trim(BOTH ' "[]' FROM name), splitByChar(',', toString(n.id)))) AS ids,
        arrayMap(name -> trim(BOTH ' ' FROM name), splitByChar(',', n.models)) AS names,
        arrayJoin(arrayDistinct(arrayZip(ids, if(length(names) = length(ids), names, arrayWithConstant(length(ids), n.models))))) AS one,
        one.1 AS id,
        one.2 AS device_model,
        multiIf(n.parent != '', toString(n.parent), id LIKE 'MIG-GPU-%', splitByChar('/', substring(id, 5))[1], id) AS name_of_whole,
        toUInt64OrZero(if(match(n.profile, '[0-9]+c\\.[0-9]+g'), extract(n.profile, '([0-9]+)c\\.'), extract(n.profile, '([0-9]+)g'))) AS instances,
        toFloat64OrZero(replaceOne(replaceOne(n.share, '%', ''), ' ', '')) AS fraction,
        toUInt64(round(least(if(fraction > 1 OR endsWith(n.share, '%'), fraction / 100, greatest(fraction, 0)), 1) * 28000000000000000)) AS share_parts,
        if(n.profile != '', least(instances * if(match(device_model, 'A30\\b|RTX PRO'), 7, 4) * 1000000000000000, 28000000000000000), share_parts) AS parts,
        if(n.pod != '', n.pod, toString(s.process)) AS holder
    FROM named AS n
    INNER JOIN (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64} AND accelerator_id != '') AS s
        ON n.trace_id = s.trace_id AND n.span_id = s.span_id
)
SELECT
    {settlement:UInt64} AS settlement,
    h.trace_id AS trace_id,
    h.span_id AS span_id,
    h.parent_span_id AS parent_span_id,
    if(match(h.name_of_whole, '^(/dev/)?[a-zA-Z]{0,10}[0-9]{1,3}$') AND h.host != '', concat(h.host, '/', h.name_of_whole), h.name_of_whole) AS device,
    multiIf(
        h.parts = 0, '',
        h.id != h.name_of_whole, h.id,
        h.profile != '', concat(h.profile, ' ', if(h.instance != '', h.instance, h.holder)),
        h.holder
    ) AS slice,
    h.device_model AS model,
    h.parts AS parts,
    h.process AS process,
    h.host AS host,
    h.region AS region,
    multiIf(
        h.said IN ('active', 'loading', 'waiting'), h.said,
        h.operation IN ('load_model', 'model_load', 'load', 'warm_up', 'warmup')
        OR match(lower(h.name), '^(model[ ._-]?load(ing)?|load(ing)?[ ._-]model|warm[ ._-]?up|cold[ ._-]?start)\\b'), 'loading',
        h.handoff_operation = 'write', '',
        h.tollbook_kind = 'handoff' OR h.handoff_operation != '' OR h.operation = 'retrieval' OR h.framework_kind = 'RETRIEVER', 'waiting',
        h.tollbook_kind = 'inference' AND h.location != 'remote', 'active',
        h.tollbook_kind = 'request' OR (h.kind IN ('client', 'producer') AND NOT h.by_itself), '',
        h.by_itself OR h.tokens > 0, 'active',
        ''
    ) AS state,
    h.tokens AS tokens,
    h.items AS items,
    toUnixTimestamp64Nano(h.start_time) AS start_ns,
    least(start_ns + h.duration_ns, toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')})) AS end_ns
FROM held AS h
