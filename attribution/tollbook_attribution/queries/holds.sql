-- What does the hour hold, by the words that steps name in their headers (needs.py)?
-- A word may be there where its steps find nothing in the end, never the other way round.
SELECT arrayJoin(arrayFilter(word -> word != '', [
    if(count() > 0, 'spans', ''),
    if(count() > uniqExactIf((trace_id, span_id), {counted:Bool}), 'doubled', ''),
    if(count() > uniqExactIf(trace_id, {counted:Bool}), 'trees', ''),
    if(groupBitOr(
        (workflow != '') + 2 * (team != '') + 4 * (project != '') + 8 * (feature != '') + 16 * (customer != '') + 32 * (environment != '') AS named
    ) != groupBitAnd(named), 'divided', ''),
    if(max(host_id != '' OR host_name != '' OR k8s_node_name != ''), 'hosts', ''),
    if(max((host_id = '' AND host_name != '') OR k8s_node_name != ''), 'unnamed_hosts', ''),
    if(max(length(host_id) = 32), 'digested_hosts', ''),
    if(max(accelerator_id != ''), 'accelerators', ''),
    if(max(handoff_operation != ''), 'handoffs', ''),
    if(max(inference_input_digest != ''), 'digests', ''),
    if(max(asset_id != '' OR notEmpty(input_asset_ids)), 'assets', ''),
    if(max(
        isNotNull(handoff_bytes) OR handoff_network != '' OR isNotNull(http_request_bytes) OR isNotNull(http_response_bytes)
        OR isNotNull(messaging_bytes) OR handoff_operation != '' OR (kind IN ('server', 'consumer') AND cloud_region != '')
    ), 'exchanges', ''),
    if(max(
        db_system != '' OR tool_name != ''
        OR hasAny(mapKeys(attributes), ['tollbook.service.name', 'db.operation.cost', 'pinecone.usage.read_units', 'pinecone.usage.write_units'])
    ), 'services', '')
])) AS word
FROM spans
WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
UNION ALL
SELECT arrayJoin(arrayFilter(word -> word != '', [
    if(count() > 0, 'metrics', ''),
    if(max(host_id != '' OR host_name != '' OR JSONHas(resource, 'k8s.node.name')), 'hosts', ''),
    if(max(host_id = '' OR JSONHas(resource, 'k8s.node.name')), 'unnamed_hosts', ''),
    if(max(length(host_id) = 32), 'digested_hosts', '')
])) AS word
FROM metrics
WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
UNION ALL
(
    -- of this hour, or of the next one of spans that go on to it
    SELECT 'logs' AS word
    FROM logs
    WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {after:DateTime64(9, 'UTC')}
    LIMIT 1
)
UNION ALL
(
    -- beside the hour: a span that goes over one of its edges, or ends near it
    SELECT 'edges' AS word
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {before:DateTime64(9, 'UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
        AND duration_ns >= toUnixTimestamp64Nano(if(
            start_time < {window:DateTime('UTC')}, toDateTime64({window:DateTime('UTC')}, 9, 'UTC'), {until:DateTime64(9, 'UTC')}
        )) - toUnixTimestamp64Nano(start_time) - 300000000000
    LIMIT 1
)
UNION ALL
SELECT arrayJoin(if(count() > 0, ['carried', 'hosts', if(max(accelerator), 'accelerators', 'carried')], [])) AS word
FROM long_spans
WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')}
UNION ALL
(SELECT 'rates' AS word FROM instance_rates LIMIT 1)
UNION ALL
(SELECT 'commitments' AS word FROM commitments WHERE tenant = {tenant:String} LIMIT 1)
UNION ALL
(SELECT 'bills' AS word FROM bill_shares WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} LIMIT 1)
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
