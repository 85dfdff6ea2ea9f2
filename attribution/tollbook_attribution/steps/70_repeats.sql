-- Which spans did what another had done before in this window?
-- Lookups and calls: the same operation with the same content digest or asset; without either, three or more of one name under one parent.
-- Copies and writes: content of the same digest, handed over again. Inferences: the same model on an input of the same digest.
-- A span inside another of the same sameness is the same act seen twice, not a repetition.
-- Where there is: handoffs, digests
INSERT INTO work_repeats
WITH acts AS (
    SELECT
        multiIf(
            input_digest != '' AND tollbook_kind = 'inference', 'repeated_inference',
            content_digest != '' AND (handoff_operation IN ('copy', 'write') OR scaffolding_class IN ('copy', 'sync')), 'duplicate_copy',
            handoff_operation = 'lookup' OR (handoff_operation = 'call' AND content_digest != ''), 'repeated_lookup',
            ''
        ) AS kind,
        multiIf(
            kind = 'repeated_inference', if(response_model != '', toString(response_model), toString(request_model)),
            kind = 'duplicate_copy', concat(name, if(handoff_destination != '', concat(' to ', handoff_destination), '')),
            concat(name, if(handoff_source != '', concat(' in ', handoff_source), ''))
        ) AS subject,
        multiIf(
            kind = 'repeated_inference', cityHash64(subject, input_digest),
            kind = 'duplicate_copy', cityHash64(content_digest),
            content_digest != '' OR asset_id != '',
            cityHash64(subject, service_name, handoff_operation, handoff_destination, content_digest, asset_id),
            cityHash64(subject, service_name, handoff_operation, handoff_destination, trace_id, parent_span_id)
        ) AS sameness,
        kind = 'repeated_lookup' AND content_digest = '' AND asset_id = '' AS unkeyed,
        service_name, workflow, team, trace_id, span_id, parent_span_id, start_time, duration_ns, ifNull(bytes, 0) AS bytes
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND (handoff_operation != '' OR input_digest != '')
),
placed AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY kind, sameness ORDER BY start_time, span_id) AS place,
        count() OVER (PARTITION BY kind, sameness) AS times
    FROM acts
    WHERE kind != '' AND (trace_id, parent_span_id, sameness) NOT IN (SELECT trace_id, span_id, sameness FROM acts WHERE kind != '')
)
SELECT
    {settlement:UInt64} AS settlement, kind, subject, service_name, workflow, team, trace_id, span_id, sameness, place, duration_ns, bytes
FROM placed
WHERE times > if(unkeyed, 2, 1)
SETTINGS max_bytes_before_external_sort = 500000000, max_bytes_before_external_group_by = 500000000
