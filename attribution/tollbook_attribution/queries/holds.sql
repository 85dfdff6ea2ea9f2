-- What does the hour hold, by the words that steps name in their headers (needs.py)?
-- A word may be 1 where its steps find nothing in the end, never 0 where they would find something.
-- What is dear to see is looked for until it is found; the rest is one pass over few columns.
SELECT
    s.spans AS spans,
    s.doubled AS doubled,
    s.divided AS divided,
    s.trees AS trees,
    s.hosts OR m.hosts AS hosts,
    s.accelerators AS accelerators,
    s.handoffs AS handoffs,
    s.digests AS digests,
    s.assets AS assets,
    s.exchanges AS exchanges,
    (
        SELECT count() FROM (
            SELECT 1 FROM spans
            WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
                AND (
                    db_system != '' OR tool_name != ''
                    OR hasAny(mapKeys(attributes), ['tollbook.service.name', 'db.operation.cost', 'pinecone.usage.read_units', 'pinecone.usage.write_units'])
                )
            LIMIT 1
        )
    ) > 0 AS services,
    (
        SELECT count() FROM (
            SELECT 1 FROM spans
            WHERE tenant = {tenant:String} AND start_time >= {before:DateTime64(9, 'UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
                AND duration_ns >= toUnixTimestamp64Nano(if(
                    start_time < {window:DateTime('UTC')}, toDateTime64({window:DateTime('UTC')}, 9, 'UTC'), {until:DateTime64(9, 'UTC')}
                )) - toUnixTimestamp64Nano(start_time) - 5000000000
            LIMIT 1
        )
    ) > 0 AS edges,
    m.metrics AS metrics,
    (
        SELECT count() FROM (
            SELECT 1 FROM logs
            WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
            LIMIT 1
        )
    ) > 0 AS logs,
    (SELECT count() FROM (SELECT 1 FROM instance_rates LIMIT 1)) > 0 AS rates,
    (SELECT count() FROM (SELECT 1 FROM commitments WHERE tenant = {tenant:String} LIMIT 1)) > 0 AS commitments,
    (SELECT count() FROM (SELECT 1 FROM bill_shares WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} LIMIT 1)) > 0 AS bills,
    -- storage is booked in the last hour of a day
    toHour({window:DateTime('UTC')}) = 23 AND (
        (SELECT count() FROM (SELECT 1 FROM stored_assets WHERE tenant = {tenant:String} LIMIT 1))
        + (SELECT count() FROM (SELECT 1 FROM storage_events WHERE tenant = {tenant:String} LIMIT 1))
    ) > 0 AS copies
FROM (
    SELECT
        count() > 0 AS spans,
        count() > uniqExactIf((trace_id, span_id), {counted:Bool}) AS doubled,
        count() > uniqExactIf(trace_id, {counted:Bool}) AS trees,
        groupBitOr(
            (workflow != '') + 2 * (team != '') + 4 * (project != '') + 8 * (feature != '') + 16 * (customer != '') + 32 * (environment != '') AS named
        ) != groupBitAnd(named) AS divided,
        max(host_id != '' OR host_name != '') AS hosts,
        max(accelerator_id != '') AS accelerators,
        max(handoff_operation != '') AS handoffs,
        max(inference_input_digest != '') AS digests,
        max(asset_id != '' OR notEmpty(input_asset_ids)) AS assets,
        max(
            isNotNull(handoff_bytes) OR handoff_network != '' OR isNotNull(http_request_bytes) OR isNotNull(http_response_bytes)
            OR isNotNull(messaging_bytes) OR handoff_operation != '' OR (kind IN ('server', 'consumer') AND cloud_region != '')
        ) AS exchanges
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
) AS s
CROSS JOIN (
    SELECT count() > 0 AS metrics, max(host_id != '' OR host_name != '') AS hosts
    FROM metrics
    WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
) AS m
