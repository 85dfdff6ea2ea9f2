-- Which spans move bytes between two places, and what do they say of the two?
-- A handoff says it itself; clients, servers and queues say how large their bodies are. The class that it says has one name, however spelled; of several
-- boundaries (`nat, internet`, `NAT + internet`) all are kept.
-- Trace by trace.
-- Where there is: exchanges
INSERT INTO work_exchanges
WITH
    arrayDistinct(arrayMap(
        part -> transform(replaceRegexpAll(part, '[^a-z0-9]', ''), {transfer_spellings:Array(String)}, {transfer_classes:Array(String)}, ''),
        splitByRegexp('[,;+|&>/]|\\s(?:and|then|via)\\s', lower(toString(s.handoff_network)))
    )) AS boundaries
SELECT
    {settlement:UInt64} AS settlement,
    s.trace_id AS trace_id,
    s.span_id AS span_id,
    s.parent_span_id AS parent_span_id,
    s.start_time AS start_time,
    multiIf(
        isNotNull(s.handoff_bytes) OR s.handoff_network != '' OR s.handoff_operation != '', 'handoff',
        s.kind IN ('server', 'consumer'), 'server',
        'client'
    ) AS sort,
    cityHash64(s.service_name, s.service_instance_id, ifNull(s.process_pid, -1), s.host_id, s.host_name) AS process,
    greatest(multiIf(
        isNotNull(s.handoff_bytes), s.handoff_bytes,
        sort = 'server', coalesce(s.http_response_bytes, 0),
        coalesce(s.http_request_bytes, s.messaging_bytes, 0)
    ), 0) AS out_bytes,
    greatest(multiIf(
        isNotNull(s.handoff_bytes), 0,
        sort = 'server', coalesce(s.http_request_bytes, s.messaging_bytes, 0),
        coalesce(s.http_response_bytes, 0)
    ), 0) AS in_bytes,
    multiIf(s.handoff_operation = 'read', 'in', s.handoff_operation IN ('write', 'copy'), 'out', 'both') AS direction,
    if(
        has(boundaries, ''),
        transform(
            replaceRegexpAll(lower(s.handoff_network), '[^a-z0-9]', ''), {transfer_spellings:Array(String)}, {transfer_classes:Array(String)},
            toString(s.handoff_network)
        ),
        arrayStringConcat(boundaries, '\n')
    ) AS network,
    s.handoff_source AS source,
    s.handoff_destination AS destination,
    s.attributes['tollbook.handoff.source.region'] AS from_region,
    s.attributes['tollbook.handoff.source.zone'] AS from_zone,
    s.attributes['tollbook.handoff.destination.region'] AS to_region,
    s.attributes['tollbook.handoff.destination.zone'] AS to_zone,
    lower(s.cloud_provider) AS cloud,
    s.cloud_account_id AS account,
    s.cloud_region AS region,
    s.cloud_availability_zone AS zone,
    if(s.host_name != '', s.host_name, s.host_id) AS host,
    lower(s.server_address) AS address,
    s.handoff_operation AS operation,
    s.asset_id AS asset_id,
    fromUnixTimestamp64Nano(toUnixTimestamp64Nano(s.start_time) + greatest(s.duration_ns, 0), 'UTC') AS end_time,
    s.attributes['tollbook.storage.class'] AS storage_class,
    lower(if(s.attributes['tollbook.storage.provider'] != '', s.attributes['tollbook.storage.provider'], s.cloud_provider)) AS storage_provider,
    toInt64OrNull(s.attributes['tollbook.storage.retention']) AS retention_s
FROM spans AS s
WHERE s.tenant = {tenant:String} AND s.start_time >= {window:DateTime('UTC')} AND s.start_time < {until:DateTime64(9, 'UTC')}
    AND s.trace_id BETWEEN unhex({first_trace:String}) AND unhex({last_trace:String})
    AND (
        isNotNull(s.handoff_bytes) OR s.handoff_network != '' OR isNotNull(s.http_request_bytes) OR isNotNull(s.http_response_bytes)
        OR isNotNull(s.messaging_bytes) OR s.handoff_operation = 'delete' OR (s.kind IN ('server', 'consumer') AND s.cloud_region != '')
    )
ORDER BY trace_id, span_id, s.received_at DESC, s.duration_ns DESC, s.input_tokens DESC, s.output_tokens DESC, s.start_time, s.name,
    toString((
        s.handoff_bytes, s.http_request_bytes, s.http_response_bytes, s.messaging_bytes, s.handoff_network, s.handoff_operation, s.handoff_source,
        s.handoff_destination, s.server_address, s.asset_id, s.cloud_region, s.cloud_availability_zone, s.attributes
    ))
LIMIT 1 BY trace_id, span_id
SETTINGS short_circuit_function_evaluation = 'disable';

-- Which of them are inside which, in the same process? Only traces with several are climbed.
INSERT INTO work_exchange_climbs
SELECT {settlement:UInt64} AS settlement, trace_id, span_id, parent_span_id
FROM work_spans
WHERE settlement = {settlement:UInt64} AND parent_span_id != toFixedString('', 8)
    AND trace_id IN (
        SELECT trace_id FROM work_exchanges WHERE settlement = {settlement:UInt64} AND sort != 'server' GROUP BY trace_id HAVING count() > 1
    );

INSERT INTO work_exchange_nesting
WITH RECURSIVE above AS (
    SELECT c.trace_id AS trace_id, c.span_id AS span_id, c.parent_span_id AS upper_id, 1 AS height
    FROM work_exchange_climbs AS c
    WHERE c.settlement = {settlement:UInt64}
        AND (c.trace_id, c.span_id) IN (SELECT trace_id, span_id FROM work_exchanges WHERE settlement = {settlement:UInt64} AND sort != 'server')
    UNION ALL
    SELECT above.trace_id AS trace_id, above.span_id AS span_id, c.parent_span_id AS upper_id, above.height + 1 AS height
    FROM (SELECT trace_id, span_id, parent_span_id FROM work_exchange_climbs WHERE settlement = {settlement:UInt64}) AS c
    INNER JOIN above ON c.trace_id = above.trace_id AND c.span_id = above.upper_id
    WHERE above.height < 100
)
SELECT {settlement:UInt64} AS settlement, a.trace_id AS trace_id, a.upper_id AS upper_id, a.span_id AS lower_id, min(a.height) AS height
FROM above AS a
INNER JOIN (SELECT * FROM work_exchanges WHERE settlement = {settlement:UInt64} AND sort != 'server') AS u ON a.trace_id = u.trace_id AND a.upper_id = u.span_id
INNER JOIN (SELECT * FROM work_exchanges WHERE settlement = {settlement:UInt64}) AS l ON a.trace_id = l.trace_id AND a.span_id = l.span_id
WHERE a.upper_id != a.span_id AND u.process = l.process
GROUP BY a.trace_id, a.upper_id, a.span_id
