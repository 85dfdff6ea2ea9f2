-- Into which slices is each device divided, and by which rule do concurrent requests share them?
-- Who names no fraction has what the fractions leave. The rule is the tenant's policy; where a span does not say what the rule counts,
-- its slice is shared equally, and the lines say so.
-- Where there is: work_held_spans
INSERT INTO work_slices
WITH policy AS (
    SELECT argMax(method, (valid_from, set_at)) AS method FROM policies
    WHERE tenant = {tenant:String} AND subject = 'accelerator' AND valid_from <= {window:DateTime('UTC')}
),
slices AS (
    SELECT
        device, slice, max(parts) AS parts,
        minIf(tokens, state = 'active') > 0 AS all_tell_tokens,
        minIf(items, state = 'active') > 0 AS all_tell_items
    FROM work_held_spans
    WHERE settlement = {settlement:UInt64}
    GROUP BY device, slice
)
SELECT
    {settlement:UInt64} AS settlement,
    s.device AS device,
    s.slice AS slice,
    multiIf(s.slice != '', s.parts, taken.parts < 28000000000000000, 28000000000000000 - taken.parts, 28000000000000000) AS parts,
    multiIf(p.method = 'by-tokens' AND s.all_tell_tokens, 'tokens', p.method = 'by-items' AND s.all_tell_items, 'items', 'equal') AS sharing,
    multiIf(
        sharing = 'tokens', 'each instant of the device shared by the tokens of the requests that hold it',
        sharing = 'items', 'each instant of the device shared by the items in the batches that hold it',
        p.method = 'by-tokens', 'each instant of the device shared equally by the requests that hold it, as not all tell their tokens',
        p.method = 'by-items', 'each instant of the device shared equally by the requests that hold it, as not all tell their batches',
        'each instant of the device shared equally by the requests that hold it'
    ) AS why
FROM slices AS s
CROSS JOIN policy AS p
LEFT ANY JOIN (SELECT device, sum(slices.parts) AS parts FROM slices WHERE slice != '' GROUP BY device) AS taken ON s.device = taken.device;

-- Which process has which slice, and from when to when? From its first to its last fact in the window, whatever it tells of.
INSERT INTO work_holders
SELECT {settlement:UInt64} AS settlement, h.device AS device, h.slice AS slice, h.process AS process, p.start_ns AS start_ns, p.end_ns AS end_ns
FROM (SELECT DISTINCT device, slice, process FROM work_held_spans WHERE settlement = {settlement:UInt64}) AS h
INNER JOIN (
    SELECT process, min(start_ns) AS start_ns, least(max(end_ns), toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')})) AS end_ns
    FROM (
        SELECT process, toUnixTimestamp64Nano(start_time) AS start_ns, start_ns + duration_ns AS end_ns
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND process IN (SELECT process FROM work_held_spans WHERE settlement = {settlement:UInt64})
        UNION ALL
        SELECT
            cityHash64(service_name, service_instance_id, ifNull(process_pid, -1), host_id, host_name) AS process,
            toUnixTimestamp64Nano(time) AS start_ns, start_ns AS end_ns
        FROM metrics
        WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
            AND process GLOBAL IN (SELECT process FROM work_held_spans WHERE settlement = {settlement:UInt64})
    )
    GROUP BY process
) AS p ON h.process = p.process;

INSERT INTO work_holds
SELECT
    settlement, device, slice, 'held' AS state, '' AS subject, toFixedString('', 16) AS trace_id, toFixedString('', 8) AS span_id,
    1 AS weight, start_ns, end_ns
FROM work_holders
WHERE settlement = {settlement:UInt64} AND end_ns > start_ns
