-- Which inferences used data when newer data was known, or a copy that had not been synced for an hour?
-- Newer data is known where the window's handoffs name a later event time of the same asset, before the inference began.
-- Where there is: assets
-- Where there is: work_calls
INSERT INTO findings_settled
WITH uses AS (
    SELECT
        l.trace_id AS trace_id, l.inference_span_id AS span_id, l.model AS model, l.workflow AS workflow, l.team AS team,
        l.service_name AS service_name, l.asset_id AS asset_id,
        toUnixTimestamp64Nano(l.inference_time) AS used_ns,
        toUnixTimestamp64Nano(l.event_time) AS event_ns,
        toUnixTimestamp64Nano(l.synced_at) AS synced_ns
    FROM lineage_settled AS l
    WHERE l.tenant = {tenant:String} AND l.window = {window:DateTime('UTC')} AND l.settlement = {settlement:UInt64}
),
versions AS (
    SELECT asset_id, groupUniqArray(1000)((toUnixTimestamp64Nano(start_time) + duration_ns, assumeNotNull(asset_event_time_ns))) AS known
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND asset_id != '' AND isNotNull(asset_event_time_ns)
    GROUP BY asset_id
    HAVING uniqExact(asset_event_time_ns) > 1
),
judged AS (
    SELECT
        u.*,
        isNotNull(u.event_ns) AND arrayExists(v -> v.1 <= u.used_ns AND v.2 > u.event_ns, versions.known) AS outdated,
        ifNull(u.used_ns - u.synced_ns > 3600000000000, false) AS not_synced
    FROM uses AS u
    LEFT ANY JOIN versions ON u.asset_id = versions.asset_id
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    'stale_input' AS kind,
    j.model AS subject,
    j.service_name AS service_name,
    j.workflow AS workflow,
    j.team AS team,
    uniqExact(j.trace_id, j.span_id) AS count,
    toInt64(max(j.used_ns - coalesce(j.synced_ns, j.event_ns))) AS duration_ns,
    0 AS bytes,
    sum(k.cost_usd) AS cost_usd,
    toDecimal128(0, 18) AS saving_usd,
    0 AS saving_ns,
    argMax(j.trace_id, (j.used_ns - coalesce(j.synced_ns, j.event_ns), j.trace_id)) AS example_trace_id,
    concat(
        toString(count), ' inferences: ', toString(countIf(j.outdated)), ' inputs had a newer version, ',
        toString(countIf(j.not_synced)), ' came from a copy last synced over an hour before.'
    ) AS detail,
    '' AS scaffolding_class
FROM judged AS j
LEFT ANY JOIN (
    SELECT trace_id, span_id, cost_usd FROM span_costs_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND cost_usd > 0
) AS k ON j.trace_id = k.trace_id AND j.span_id = k.span_id
WHERE j.outdated OR j.not_synced
GROUP BY j.model, j.service_name, j.workflow, j.team
