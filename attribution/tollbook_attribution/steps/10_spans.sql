-- What happened in this window? Each span once, with its owners.
-- A span that names no owner has the one that the earliest span of its trace names. One pass over the hour, whatever its size.
-- No span lasts longer than 10^16 ns, some 116 days: what says so has a wrong clock, and CPU time beyond that is none.
-- Its machine is its host.id, else the node's name, else its host.name, under the one name that the hour knows it by (`machine_names.py`).
-- Run again for each hour beside that `17_edges` has found calls of this hour in, it takes in the spans of their traces.
-- Where there is: spans
INSERT INTO work_spans
SELECT
    {settlement:UInt64} AS settlement,
    s.trace_id AS trace_id,
    s.span_id AS span_id,
    s.parent_span_id AS parent_span_id,
    s.name AS name,
    s.kind AS kind,
    s.start_time AS start_time,
    least(greatest(s.duration_ns, 0), 10000000000000000) AS duration_ns,
    s.status_code AS status_code,
    s.error_type AS error_type,
    ifNull(s.request_stream, false) OR positionCaseInsensitive(s.name, 'stream') > 0 AS streams,
    s.scope_name AS scope_name,
    s.service_name AS service_name,
    s.service_version AS service_version,
    cityHash64(s.service_name, s.service_instance_id, ifNull(s.process_pid, -1), s.host_id, s.host_name) AS process,
    s.attributes['thread.id'] AS thread,
    transform(
        if(s.host_id != '', s.host_id, if(s.k8s_node_name != '', s.k8s_node_name, s.host_name)), {host_names:Array(String)}, {host_ids:Array(String)}
    ) AS host,
    if(s.k8s_node_name != '', s.k8s_node_name, s.host_name) AS host_name,
    s.host_type AS host_type,
    s.cloud_region AS region,
    s.cloud_account_id AS account,
    s.accelerator_id AS accelerator_id,
    if(s.cpu_time_ns BETWEEN 0 AND 10000000000000000, s.cpu_time_ns, NULL) AS cpu_time_ns,
    s.tollbook_kind AS tollbook_kind,
    lower(s.operation_name) AS operation,
    if(s.openinference_kind != '', upper(s.openinference_kind), upper(s.attributes['traceloop.span.kind'])) AS framework_kind,
    s.provider_name AS provider,
    s.request_model AS request_model,
    s.response_model AS response_model,
    s.response_id AS response_id,
    lower(s.service_tier) AS service_tier,
    s.input_tokens AS input_tokens,
    s.output_tokens AS output_tokens,
    s.cache_read_tokens AS cache_read_tokens,
    s.cache_write_tokens AS cache_write_tokens,
    s.reasoning_tokens AS reasoning_tokens,
    s.finish_reasons AS finish_reasons,
    mapFilter((k, v) -> k IN {told_keys:Array(String)}, if(
        arrayExists(event -> startsWith(event, 'gen_ai.'), s.`events.name`),
        CAST(mapFromArrays(
            arrayConcat(mapKeys(s.attributes), arrayFlatten(arrayMap(event -> mapKeys(event), s.`events.attributes`))),
            arrayConcat(mapValues(s.attributes), arrayFlatten(arrayMap(event -> mapValues(event), s.`events.attributes`)))
        ), 'Map(LowCardinality(String), String)'),
        s.attributes
    )) AS told,
    s.inference_location AS location,
    s.inference_input_digest AS input_digest,
    s.input_asset_ids AS input_asset_ids,
    s.input_event_time_oldest_ns AS input_event_time_oldest_ns,
    s.input_event_time_newest_ns AS input_event_time_newest_ns,
    s.asset_id AS asset_id,
    s.asset_version AS asset_version,
    s.asset_event_time_ns AS asset_event_time_ns,
    s.asset_synced_at_ns AS asset_synced_at_ns,
    s.handoff_operation AS handoff_operation,
    s.handoff_source AS handoff_source,
    s.handoff_destination AS handoff_destination,
    s.handoff_bytes AS handoff_bytes,
    coalesce(
        s.handoff_bytes,
        if(isNull(s.http_request_bytes) AND isNull(s.http_response_bytes), NULL, ifNull(s.http_request_bytes, 0) + ifNull(s.http_response_bytes, 0)),
        s.messaging_bytes
    ) AS bytes,
    s.content_digest AS content_digest,
    multiIf(
        s.scaffolding_class != '', s.scaffolding_class,
        s.tollbook_kind IN ('inference', 'request') OR isNotNull(s.input_tokens), 'useful',
        s.handoff_operation IN ('copy', 'lookup', 'transform'), s.handoff_operation,
        lower(s.operation_name) IN (
            'chat', 'generate_content', 'text_completion', 'embeddings', 'rerank', 'invoke_agent', 'execute_tool', 'retrieval'
        ) OR s.openinference_kind IN ('LLM', 'EMBEDDING', 'RERANKER', 'AGENT', 'TOOL', 'RETRIEVER'), 'useful',
        match(lower(s.name), '(^|[^a-z])(log|logs|logger|logging|audit|telemetry|metrics?|traces?|breadcrumb)([^a-z]|$)')
            OR match(lower(s.name), '/v1/(traces|logs|metrics)|(send|emit|write|flush|export)_?(log|audit|metric|telemetry)')
            OR match(lower(s.server_address), '(^|[.-])(loki|logs?|logstash|fluentd?|splunk|datadoghq|sentry|newrelic|honeycomb|otel|otlp|statsd)([.-]|$)'),
        'logging',
        match(lower(s.name), '(^|[^a-z])(re)?sync|replicat|backfill|re-?index|mirror|(^|[^a-z])(cdc|etl|rsync|snapshot|refresh)')
            OR match(lower(s.name), '(nightly|hourly|scheduled)[^a-z]?(job|import|export|load|copy)'),
        'sync',
        match(lower(s.name), '(^|[^a-z])((de)?serialize|parse|convert|normali[sz]e|(un)?marshal|transform|encode|decode|flatten|reshape|pivot|chunk)')
            OR match(lower(s.name), '(^|[^a-z])(tokeni[sz]e|(de)?compress|to_?(json|csv|parquet|arrow|dict)|from_?(json|csv|parquet|dict)|map_?fields)'),
        'transform',
        (s.messaging_system != '' AND s.kind IN ('producer', 'consumer'))
            OR match(lower(s.name), '(^|[^a-z])(middleware|proxy|gateway|ingress|sidecar|load_?balancer|broker|enqueue|dequeue|publish|poll|rate_?limit|authenticate|authori[sz]e)')
            OR match(lower(s.service_name), '(^|[^a-z])(envoy|nginx|kong|traefik|haproxy|gateway|proxy|istio)'),
        'middleware',
        match(lower(s.name), '(^|[^a-z])(adapt[eo]r|connector|bridge|wrapper|glue|webhook|callback|shim|retry|wait_?for|(lookup|resolve)_?id)')
            OR match(lower(s.name), '(^|[^a-z])(upload|download|export|import|forward|relay)'),
        'glue',
        ''
    ) AS scaffolding_class,
    ifNull(s.simulated, false) AS simulated,
    if(s.workflow != '', s.workflow, o.workflow) AS workflow,
    if(s.team != '', s.team, o.team) AS team,
    if(s.project != '', s.project, o.project) AS project,
    if(s.feature != '', s.feature, o.feature) AS feature,
    if(s.customer != '', s.customer, o.customer) AS customer,
    if(s.environment != '', s.environment, o.environment) AS environment,
    s.site AS site,
    s.tier AS tier
FROM (
    SELECT * FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
        AND (trace_id, span_id) GLOBAL NOT IN (SELECT trace_id, span_id FROM work_doubled WHERE settlement = {settlement:UInt64})
        AND (NOT {neighbours:Bool} OR (
            trace_id GLOBAL IN (SELECT trace_id FROM work_edges WHERE settlement = {settlement:UInt64})
            AND (trace_id, span_id) GLOBAL NOT IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {settlement:UInt64})
        ))
    UNION ALL
    SELECT * FROM (
        SELECT * FROM spans
        WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
            AND (trace_id, span_id) GLOBAL IN (SELECT trace_id, span_id FROM work_doubled WHERE settlement = {settlement:UInt64})
            AND (NOT {neighbours:Bool} OR (
                trace_id GLOBAL IN (SELECT trace_id FROM work_edges WHERE settlement = {settlement:UInt64})
                AND (trace_id, span_id) GLOBAL NOT IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {settlement:UInt64})
            ))
        ORDER BY trace_id, span_id, received_at DESC, duration_ns DESC, input_tokens DESC, output_tokens DESC, start_time, name,
            cityHash64(toString(tuple(*)))
        LIMIT 1 BY trace_id, span_id
    )
) AS s
LEFT ANY JOIN (SELECT * FROM work_owners WHERE settlement = {settlement:UInt64}) AS o ON s.trace_id = o.trace_id
SETTINGS max_insert_threads = 2
