-- Which data did each inference use, and how old was it at that moment?
-- Assets that the inference itself names (via span); else what its trace had read before it began (via trace). A handoff tells the event
-- time; where none does and the inference names one asset, the inference's own stamp does. Unknown stays unknown.
-- Trace by trace.
-- Where there is: assets
-- Where there is: work_calls
INSERT INTO lineage_settled
WITH inferences AS (
    SELECT s.*
    FROM work_spans AS s
    WHERE s.settlement = {settlement:UInt64}
        AND (s.trace_id, s.span_id) IN (SELECT trace_id, span_id FROM work_calls WHERE settlement = {settlement:UInt64})
        AND (s.trace_id, s.span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
),
readings AS (
    SELECT
        trace_id,
        groupArray(10000)((
            asset_id, toUnixTimestamp64Nano(start_time) + duration_ns, asset_version, asset_event_time_ns, asset_synced_at_ns
        )) AS seen
    FROM (
        SELECT * FROM work_spans
        WHERE settlement = {settlement:UInt64} AND asset_id != '' AND handoff_operation != 'write'
            AND trace_id IN (SELECT trace_id FROM inferences)
        ORDER BY start_time
    )
    GROUP BY trace_id
),
used AS (
    SELECT
        i.trace_id AS trace_id,
        i.span_id AS span_id,
        i.start_time AS start_time,
        if(i.response_model != '', i.response_model, i.request_model) AS model,
        i.workflow AS workflow,
        i.team AS team,
        i.service_name AS service_name,
        i.input_asset_ids AS stamped,
        if(length(stamped) = 1, coalesce(i.input_event_time_oldest_ns, i.input_event_time_newest_ns), NULL) AS stamped_time_ns,
        arrayFilter(
            r -> r.2 <= toUnixTimestamp64Nano(i.start_time) AND (empty(i.input_asset_ids) OR has(i.input_asset_ids, r.1)), readings.seen
        ) AS read,
        arrayJoin(arrayDistinct(if(empty(i.input_asset_ids), arrayMap(r -> r.1, read), i.input_asset_ids))) AS asset_id,
        arrayLast(r -> r.1 = asset_id, read) AS reading
    FROM inferences AS i
    LEFT ANY JOIN readings ON i.trace_id = readings.trace_id
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id AS inference_span_id,
    start_time AS inference_time,
    model,
    asset_id,
    reading.3 AS asset_version,
    fromUnixTimestamp64Nano(coalesce(reading.4, stamped_time_ns), 'UTC') AS event_time,
    toUnixTimestamp64Nano(start_time) - coalesce(reading.4, stamped_time_ns) AS age_ns,
    fromUnixTimestamp64Nano(reading.5, 'UTC') AS synced_at,
    if(empty(stamped), 'trace', 'span') AS via,
    workflow,
    team,
    service_name
FROM used
SETTINGS max_block_size = 8192
