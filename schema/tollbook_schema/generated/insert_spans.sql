-- The spans of one or more OTLP export requests, one row each, shared attributes as columns and the rest as a map.
-- Generated from registry/*.yaml by `make generate`; the source of the rows is put in place of /*SOURCE*/.
-- Every AND, OR and BETWEEN here costs each INSERT 7 ms of analysis (ClickHouse hashes the nested SELECTs for it), hence if and multiIf.
INSERT INTO spans_in (
    tenant, trace_id, span_id, parent_span_id, trace_state, flags, name, kind, start_time, duration_ns, status_code, status_message,
    scope_name, scope_version, resource, scope_attributes, resource_schema_url, scope_schema_url,
    dropped_attributes_count, dropped_events_count, dropped_links_count,
    `events.time`, `events.name`, `events.attributes`, `links.trace_id`, `links.span_id`, `links.trace_state`, `links.attributes`,
    attributes, attribute_types, content, received_at, operation_name, provider_name, request_model, response_model, response_id, finish_reasons, time_to_first_chunk_s, request_stream, request_max_tokens, request_temperature, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, reasoning_tokens, conversation_id, agent_name, tool_name, service_tier, openinference_kind, team, project, feature, customer, environment, workflow, user_id, session_id, site, tier, service_name, service_namespace, service_version, service_instance_id, sdk_language, process_pid, host_id, host_name, host_type, container_id, cloud_provider, cloud_account_id, cloud_region, cloud_availability_zone, k8s_cluster_name, k8s_namespace_name, k8s_node_name, k8s_pod_name, error_type, server_address, server_port, http_request_method, http_route, http_status_code, http_request_bytes, http_response_bytes, db_system, db_operation, db_collection, messaging_system, messaging_destination, messaging_bytes, rpc_system, accelerator_id, accelerator_model, accelerator_type, tollbook_kind, simulated, cpu_time_ns, inference_location, batch_size, inference_input_bytes, inference_output_bytes, inference_input_digest, model_digest, model_version, input_asset_ids, input_event_time_oldest_ns, input_event_time_newest_ns, asset_id, asset_version, asset_event_time_ns, asset_synced_at_ns, handoff_operation, handoff_source, handoff_destination, handoff_bytes, handoff_records, serialization_ns, handoff_network, handoff_delivery, event_id, content_digest, schema_fingerprint, scaffolding_class
)
SELECT
    tenant, toFixedString(tupleElement(sp, 'trace_id'), 16), toFixedString(tupleElement(sp, 'span_id'), 8), toFixedString(tupleElement(sp, 'parent_span_id'), 8),
    tupleElement(sp, 'trace_state'), tupleElement(sp, 'flags'), tupleElement(sp, 'name'), if(toUInt32(tupleElement(sp, 'kind')) <= 5, tupleElement(sp, 'kind'), 0),
    fromUnixTimestamp64Nano(toInt64(least(tupleElement(sp, 'start_time_unix_nano'), 9223372036854775807)), 'UTC'),
    toInt64(tupleElement(sp, 'end_time_unix_nano')) - toInt64(tupleElement(sp, 'start_time_unix_nano')),
    if(toUInt32(tupleElement(tupleElement(sp, 'status'), 'code')) <= 2, tupleElement(tupleElement(sp, 'status'), 'code'), 0), tupleElement(tupleElement(sp, 'status'), 'message'),
    scope_name, scope_version, resource, scope_attributes, resource_schema_url, scope_schema_url,
    tupleElement(sp, 'dropped_attributes_count'), tupleElement(sp, 'dropped_events_count'), tupleElement(sp, 'dropped_links_count'),
    arrayMap(t -> fromUnixTimestamp64Nano(toInt64(least(t, 9223372036854775807)), 'UTC'), tupleElement(tupleElement(sp, 'events'), 'time_unix_nano')),
    tupleElement(tupleElement(sp, 'events'), 'name'),
    arrayMap(kv -> mapFromArrays(tupleElement(kv, 'key'), arrayMap((s, i, d, b, a, k, y) -> coalesce(s, toString(i), toString(d), toString(b), if(empty(a), NULL, concat('[', arrayStringConcat(arrayMap((s, i, d, b, y, k, n) -> multiIf(isNotNull(s), toJSONString(assumeNotNull(s)), isNotNull(coalesce(y, k, n)), toJSONString(base64Encode(coalesce(y, k, n, ''))), coalesce(toString(i), toString(d), toString(b), 'null')), tupleElement(a, 'string_value'), tupleElement(a, 'int_value'), tupleElement(a, 'double_value'), tupleElement(a, 'bool_value'), tupleElement(a, 'bytes_value'), tupleElement(a, 'kvlist_value'), tupleElement(a, 'array_value')), ','), ']')), base64Encode(k), base64Encode(y), ''), tupleElement(tupleElement(kv, 'value'), 'string_value'), tupleElement(tupleElement(kv, 'value'), 'int_value'), tupleElement(tupleElement(kv, 'value'), 'double_value'), tupleElement(tupleElement(kv, 'value'), 'bool_value'), tupleElement(tupleElement(tupleElement(kv, 'value'), 'array_value'), 'values'), tupleElement(tupleElement(kv, 'value'), 'kvlist_value'), tupleElement(tupleElement(kv, 'value'), 'bytes_value'))), tupleElement(tupleElement(sp, 'events'), 'attributes')),
    arrayMap(id -> toFixedString(id, 16), tupleElement(tupleElement(sp, 'links'), 'trace_id')), arrayMap(id -> toFixedString(id, 8), tupleElement(tupleElement(sp, 'links'), 'span_id')),
    tupleElement(tupleElement(sp, 'links'), 'trace_state'), arrayMap(kv -> mapFromArrays(tupleElement(kv, 'key'), arrayMap((s, i, d, b, a, k, y) -> coalesce(s, toString(i), toString(d), toString(b), if(empty(a), NULL, concat('[', arrayStringConcat(arrayMap((s, i, d, b, y, k, n) -> multiIf(isNotNull(s), toJSONString(assumeNotNull(s)), isNotNull(coalesce(y, k, n)), toJSONString(base64Encode(coalesce(y, k, n, ''))), coalesce(toString(i), toString(d), toString(b), 'null')), tupleElement(a, 'string_value'), tupleElement(a, 'int_value'), tupleElement(a, 'double_value'), tupleElement(a, 'bool_value'), tupleElement(a, 'bytes_value'), tupleElement(a, 'kvlist_value'), tupleElement(a, 'array_value')), ','), ']')), base64Encode(k), base64Encode(y), ''), tupleElement(tupleElement(kv, 'value'), 'string_value'), tupleElement(tupleElement(kv, 'value'), 'int_value'), tupleElement(tupleElement(kv, 'value'), 'double_value'), tupleElement(tupleElement(kv, 'value'), 'bool_value'), tupleElement(tupleElement(tupleElement(kv, 'value'), 'array_value'), 'values'), tupleElement(tupleElement(kv, 'value'), 'kvlist_value'), tupleElement(tupleElement(kv, 'value'), 'bytes_value'))), tupleElement(tupleElement(sp, 'links'), 'attributes')),
    mapFromArrays(tupleElement(rest, 'key'), arrayMap((s, i, d, b, a, k, y) -> coalesce(s, toString(i), toString(d), toString(b), if(empty(a), NULL, concat('[', arrayStringConcat(arrayMap((s, i, d, b, y, k, n) -> multiIf(isNotNull(s), toJSONString(assumeNotNull(s)), isNotNull(coalesce(y, k, n)), toJSONString(base64Encode(coalesce(y, k, n, ''))), coalesce(toString(i), toString(d), toString(b), 'null')), tupleElement(a, 'string_value'), tupleElement(a, 'int_value'), tupleElement(a, 'double_value'), tupleElement(a, 'bool_value'), tupleElement(a, 'bytes_value'), tupleElement(a, 'kvlist_value'), tupleElement(a, 'array_value')), ','), ']')), base64Encode(k), base64Encode(y), ''), tupleElement(tupleElement(rest, 'value'), 'string_value'), tupleElement(tupleElement(rest, 'value'), 'int_value'), tupleElement(tupleElement(rest, 'value'), 'double_value'), tupleElement(tupleElement(rest, 'value'), 'bool_value'), tupleElement(tupleElement(tupleElement(rest, 'value'), 'array_value'), 'values'), tupleElement(tupleElement(rest, 'value'), 'kvlist_value'), tupleElement(tupleElement(rest, 'value'), 'bytes_value'))),
    mapFilter((key, type) -> type != 'string', mapFromArrays(tupleElement(rest, 'key'), arrayMap((s, i, d, b, a, k, y) -> multiIf(isNotNull(s), 'string', isNotNull(i), 'int', isNotNull(d), 'double', isNotNull(b), 'bool', notEmpty(a), 'array', isNotNull(k), 'kvlist', isNotNull(y), 'bytes', 'empty'), tupleElement(tupleElement(rest, 'value'), 'string_value'), tupleElement(tupleElement(rest, 'value'), 'int_value'), tupleElement(tupleElement(rest, 'value'), 'double_value'), tupleElement(tupleElement(rest, 'value'), 'bool_value'), tupleElement(tupleElement(tupleElement(rest, 'value'), 'array_value'), 'values'), tupleElement(tupleElement(rest, 'value'), 'kvlist_value'), tupleElement(tupleElement(rest, 'value'), 'bytes_value')))),
    mapFromArrays(tupleElement(long, 'key'), arrayMap((s, i, d, b, a, k, y) -> coalesce(s, toString(i), toString(d), toString(b), if(empty(a), NULL, concat('[', arrayStringConcat(arrayMap((s, i, d, b, y, k, n) -> multiIf(isNotNull(s), toJSONString(assumeNotNull(s)), isNotNull(coalesce(y, k, n)), toJSONString(base64Encode(coalesce(y, k, n, ''))), coalesce(toString(i), toString(d), toString(b), 'null')), tupleElement(a, 'string_value'), tupleElement(a, 'int_value'), tupleElement(a, 'double_value'), tupleElement(a, 'bool_value'), tupleElement(a, 'bytes_value'), tupleElement(a, 'kvlist_value'), tupleElement(a, 'array_value')), ','), ']')), base64Encode(k), base64Encode(y), ''), tupleElement(tupleElement(long, 'value'), 'string_value'), tupleElement(tupleElement(long, 'value'), 'int_value'), tupleElement(tupleElement(long, 'value'), 'double_value'), tupleElement(tupleElement(long, 'value'), 'bool_value'), tupleElement(tupleElement(tupleElement(long, 'value'), 'array_value'), 'values'), tupleElement(tupleElement(long, 'value'), 'kvlist_value'), tupleElement(tupleElement(long, 'value'), 'bytes_value'))),
    {received_at:DateTime('UTC')},
    s_text[indexOf(s_codes, 1)],
    s_text[firstNonDefault(indexOf(s_codes, 2), indexOf(s_codes, 90), indexOf(s_codes, 91), indexOf(s_codes, 92))],
    s_text[firstNonDefault(indexOf(s_codes, 3), indexOf(s_codes, 93), indexOf(s_codes, 94), indexOf(s_codes, 95))],
    s_text[firstNonDefault(indexOf(s_codes, 4), indexOf(s_codes, 96))],
    s_text[indexOf(s_codes, 5)],
    arrayFilter(x -> x != '', arrayMap(e -> ifNull(e, ''), s_lists[indexOf(s_codes, 76)])),
    coalesce(s_double[indexOf(s_codes, 72)], toFloat64(s_int[indexOf(s_codes, 72)])),
    s_bool[firstNonDefault(indexOf(s_codes, 74), indexOf(s_codes, 128), indexOf(s_codes, 129))],
    s_int[indexOf(s_codes, 55)],
    coalesce(s_double[indexOf(s_codes, 73)], toFloat64(s_int[indexOf(s_codes, 73)])),
    coalesce(s_int[firstNonDefault(indexOf(s_codes, 50), indexOf(s_codes, 109), indexOf(s_codes, 110)) AS s_at_input_tokens], accurateCastOrNull(s_double[s_at_input_tokens], 'Int64'), toInt64OrNull(s_string[s_at_input_tokens])),
    coalesce(s_int[firstNonDefault(indexOf(s_codes, 51), indexOf(s_codes, 111), indexOf(s_codes, 112)) AS s_at_output_tokens], accurateCastOrNull(s_double[s_at_output_tokens], 'Int64'), toInt64OrNull(s_string[s_at_output_tokens])),
    coalesce(s_int[firstNonDefault(indexOf(s_codes, 52), indexOf(s_codes, 113), indexOf(s_codes, 114), indexOf(s_codes, 115)) AS s_at_cache_read_tokens], accurateCastOrNull(s_double[s_at_cache_read_tokens], 'Int64'), toInt64OrNull(s_string[s_at_cache_read_tokens])),
    coalesce(s_int[firstNonDefault(indexOf(s_codes, 53), indexOf(s_codes, 116), indexOf(s_codes, 117), indexOf(s_codes, 118), indexOf(s_codes, 119)) AS s_at_cache_write_tokens], accurateCastOrNull(s_double[s_at_cache_write_tokens], 'Int64'), toInt64OrNull(s_string[s_at_cache_write_tokens])),
    coalesce(s_int[firstNonDefault(indexOf(s_codes, 54), indexOf(s_codes, 120), indexOf(s_codes, 121), indexOf(s_codes, 122), indexOf(s_codes, 123)) AS s_at_reasoning_tokens], accurateCastOrNull(s_double[s_at_reasoning_tokens], 'Int64'), toInt64OrNull(s_string[s_at_reasoning_tokens])),
    s_text[indexOf(s_codes, 6)],
    s_text[indexOf(s_codes, 7)],
    s_text[indexOf(s_codes, 8)],
    s_text[firstNonDefault(indexOf(s_codes, 9), indexOf(s_codes, 97), indexOf(s_codes, 98))],
    s_text[indexOf(s_codes, 10)],
    if(empty(s_text[indexOf(s_codes, 11)] AS own_team), r_team, own_team),
    if(empty(s_text[indexOf(s_codes, 12)] AS own_project), r_project, own_project),
    if(empty(s_text[indexOf(s_codes, 13)] AS own_feature), r_feature, own_feature),
    if(empty(s_text[firstNonDefault(indexOf(s_codes, 14), indexOf(s_codes, 99))] AS own_customer), r_customer, own_customer),
    if(empty(s_text[firstNonDefault(indexOf(s_codes, 15), indexOf(s_codes, 100))] AS own_environment), r_environment, own_environment),
    if(empty(s_text[firstNonDefault(indexOf(s_codes, 16), indexOf(s_codes, 101))] AS own_workflow), r_workflow, own_workflow),
    s_text[firstNonDefault(indexOf(s_codes, 17), indexOf(s_codes, 102))],
    s_text[indexOf(s_codes, 18)],
    if(empty(s_text[indexOf(s_codes, 19)] AS own_site), r_site, own_site),
    if(empty(s_text[indexOf(s_codes, 20)] AS own_tier), r_tier, own_tier),
    r_service_name,
    r_service_namespace,
    r_service_version,
    r_service_instance_id,
    r_sdk_language,
    r_process_pid,
    r_host_id,
    r_host_name,
    r_host_type,
    r_container_id,
    r_cloud_provider,
    r_cloud_account_id,
    r_cloud_region,
    r_cloud_availability_zone,
    r_k8s_cluster_name,
    r_k8s_namespace_name,
    r_k8s_node_name,
    r_k8s_pod_name,
    s_text[indexOf(s_codes, 21)],
    s_text[firstNonDefault(indexOf(s_codes, 22), indexOf(s_codes, 103))],
    s_int[firstNonDefault(indexOf(s_codes, 56), indexOf(s_codes, 124))],
    s_text[firstNonDefault(indexOf(s_codes, 23), indexOf(s_codes, 104))],
    s_text[indexOf(s_codes, 24)],
    s_int[firstNonDefault(indexOf(s_codes, 57), indexOf(s_codes, 125))],
    s_int[firstNonDefault(indexOf(s_codes, 58), indexOf(s_codes, 126))],
    s_int[firstNonDefault(indexOf(s_codes, 59), indexOf(s_codes, 127))],
    s_text[firstNonDefault(indexOf(s_codes, 25), indexOf(s_codes, 105))],
    s_text[firstNonDefault(indexOf(s_codes, 26), indexOf(s_codes, 106))],
    s_text[firstNonDefault(indexOf(s_codes, 27), indexOf(s_codes, 107))],
    s_text[indexOf(s_codes, 28)],
    s_text[indexOf(s_codes, 29)],
    s_int[indexOf(s_codes, 60)],
    s_text[firstNonDefault(indexOf(s_codes, 30), indexOf(s_codes, 108))],
    multiIf(notEmpty(s_text[indexOf(s_codes, 31)] AS own_accelerator_id), own_accelerator_id, notEmpty(arrayStringConcat(arrayFilter(x -> x != '', arrayMap(e -> ifNull(e, ''), s_lists[indexOf(s_keys, 31)])), ',') AS listed_accelerator_id), listed_accelerator_id, r_accelerator_id),
    if(empty(s_text[indexOf(s_codes, 32)] AS own_accelerator_model), r_accelerator_model, own_accelerator_model),
    if(empty(s_text[indexOf(s_codes, 33)] AS own_accelerator_type), r_accelerator_type, own_accelerator_type),
    s_text[indexOf(s_codes, 34)],
    ifNull(s_bool[indexOf(s_codes, 75)], r_simulated),
    s_int[indexOf(s_codes, 61)],
    s_text[indexOf(s_codes, 35)],
    s_int[indexOf(s_codes, 62)],
    s_int[indexOf(s_codes, 63)],
    s_int[indexOf(s_codes, 64)],
    s_text[indexOf(s_codes, 36)],
    s_text[indexOf(s_codes, 37)],
    s_text[indexOf(s_codes, 38)],
    arrayFilter(x -> x != '', arrayMap(e -> ifNull(e, ''), s_lists[indexOf(s_codes, 77)])),
    s_int[indexOf(s_codes, 65)],
    s_int[indexOf(s_codes, 66)],
    s_text[indexOf(s_codes, 39)],
    s_text[indexOf(s_codes, 40)],
    s_int[indexOf(s_codes, 67)],
    s_int[indexOf(s_codes, 68)],
    s_text[indexOf(s_codes, 41)],
    s_text[indexOf(s_codes, 42)],
    s_text[indexOf(s_codes, 43)],
    s_int[indexOf(s_codes, 69)],
    s_int[indexOf(s_codes, 70)],
    s_int[indexOf(s_codes, 71)],
    s_text[indexOf(s_codes, 44)],
    s_text[indexOf(s_codes, 45)],
    s_text[indexOf(s_codes, 46)],
    s_text[indexOf(s_codes, 47)],
    s_text[indexOf(s_codes, 48)],
    s_text[indexOf(s_codes, 49)]
FROM (
    SELECT
        *,
        arrayMap((code, text, i, d, b) -> if(multiIf(
                code < 50, text != '',
                code < 55, multiIf(isNotNull(i), true, isNotNull(d), true, text != ''),
                code < 72, isNotNull(i),
                code < 74, if(isNotNull(d), true, isNotNull(i)),
                code < 76, isNotNull(b),
                code < 90, true,
                code < 109, text != '',
                code < 124, multiIf(isNotNull(i), true, isNotNull(d), true, text != ''),
                code < 128, isNotNull(i),
                code < 128, if(isNotNull(d), true, isNotNull(i)),
                code < 130, isNotNull(b),
                true), code, 0),
            s_keys, s_text, s_int, s_double, s_bool) AS s_codes,
        arrayFilter((a, code, i, d, list) -> multiIf(
                code = 0, true, code < 50, false, code < 55, isNull(i), code < 72, false,
                code < 74, isNull(d), code < 76, false,
                code < 78, if(empty(list), true, arrayExists(e -> ifNull(e, '') = '', list)), code >= 90),
            attributes, s_codes, s_int, s_double, s_lists) AS rest,
        arrayFilter((a, code) -> if(code < 78, false, code < 90), attributes, s_keys) AS long
    FROM (
        SELECT
            *, tupleElement(s_value, 'string_value') AS s_string, arrayMap(x -> assumeNotNull(x), tupleElement(s_value, 'string_value')) AS s_text,
            tupleElement(s_value, 'int_value') AS s_int, tupleElement(s_value, 'double_value') AS s_double, tupleElement(s_value, 'bool_value') AS s_bool,
            tupleElement(tupleElement(tupleElement(s_value, 'array_value'), 'values'), 'string_value') AS s_lists
        FROM (
            SELECT
                * EXCEPT (spans), sp, tupleElement(sp, 'attributes') AS attributes, tupleElement(tupleElement(sp, 'attributes'), 'value') AS s_value,
                arrayMap(key -> transform(key, ['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model', 'gen_ai.response.model', 'gen_ai.response.id', 'gen_ai.conversation.id', 'gen_ai.agent.name', 'gen_ai.tool.name', 'openai.response.service_tier', 'openinference.span.kind', 'tollbook.team', 'tollbook.project', 'tollbook.feature', 'tollbook.customer', 'deployment.environment.name', 'gen_ai.workflow.name', 'user.id', 'session.id', 'tollbook.site', 'tollbook.tier', 'error.type', 'server.address', 'http.request.method', 'http.route', 'db.system.name', 'db.operation.name', 'db.collection.name', 'messaging.system', 'messaging.destination.name', 'rpc.system.name', 'hw.id', 'hw.model', 'hw.type', 'tollbook.kind', 'tollbook.inference.location', 'tollbook.inference.input.digest', 'tollbook.model.digest', 'tollbook.model.version', 'tollbook.asset.id', 'tollbook.asset.version', 'tollbook.handoff.operation', 'tollbook.handoff.source', 'tollbook.handoff.destination', 'tollbook.handoff.network', 'tollbook.handoff.delivery', 'tollbook.event.id', 'tollbook.content.digest', 'tollbook.schema.fingerprint', 'tollbook.scaffolding.class', 'gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens', 'gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_write.input_tokens', 'gen_ai.usage.reasoning.output_tokens', 'gen_ai.request.max_tokens', 'server.port', 'http.response.status_code', 'http.request.body.size', 'http.response.body.size', 'messaging.message.body.size', 'tollbook.cpu.time', 'tollbook.inference.batch_size', 'tollbook.inference.input.size', 'tollbook.inference.output.size', 'tollbook.input.event_time.oldest', 'tollbook.input.event_time.newest', 'tollbook.asset.event_time', 'tollbook.asset.synced_at', 'tollbook.handoff.size', 'tollbook.handoff.records', 'tollbook.handoff.serialization.duration', 'gen_ai.response.time_to_first_chunk', 'gen_ai.request.temperature', 'gen_ai.request.stream', 'tollbook.simulated', 'gen_ai.response.finish_reasons', 'tollbook.input.asset.ids', 'gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.system_instructions', 'gen_ai.tool.definitions', 'gen_ai.tool.call.arguments', 'gen_ai.tool.call.result', 'gen_ai.prompt', 'gen_ai.completion', 'input.value', 'output.value', 'traceloop.entity.input', 'traceloop.entity.output', 'gen_ai.system', 'llm.system', 'llm.provider', 'llm.request.model_name', 'llm.model_name', 'embedding.model_name', 'llm.response.model_name', 'gen_ai.openai.response.service_tier', 'openai.request.service_tier', 'tollbook.tenant', 'deployment.environment', 'traceloop.workflow.name', 'enduser.id', 'net.peer.name', 'http.method', 'db.system', 'db.operation', 'db.sql.table', 'rpc.system', 'gen_ai.usage.prompt_tokens', 'llm.token_count.prompt', 'gen_ai.usage.completion_tokens', 'llm.token_count.completion', 'gen_ai.usage.cache_read_input_tokens', 'llm.token_count.prompt_details.cache_read', 'gen_ai.usage.details.cache_read_tokens', 'gen_ai.usage.cache_creation.input_tokens', 'gen_ai.usage.cache_creation_input_tokens', 'llm.token_count.prompt_details.cache_write', 'gen_ai.usage.details.cache_write_tokens', 'gen_ai.usage.reasoning_tokens', 'llm.usage.reasoning_tokens', 'llm.token_count.completion_details.reasoning', 'gen_ai.usage.details.reasoning_tokens', 'net.peer.port', 'http.status_code', 'http.request_content_length', 'http.response_content_length', 'gen_ai.is_streaming', 'llm.is_streaming'], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129]::Array(UInt8), 0::UInt8), tupleElement(tupleElement(sp, 'attributes'), 'key')) AS s_keys
            FROM (
                SELECT
                    * EXCEPT (ss),
                    tupleElement(tupleElement(ss, 'scope'), 'name') AS scope_name, tupleElement(tupleElement(ss, 'scope'), 'version') AS scope_version, tupleElement(ss, 'schema_url') AS scope_schema_url,
                    toLowCardinality(concat('{', arrayStringConcat(arrayMap((key, s, i, d, b, a, k, y) -> concat(toJSONString(key), ':', multiIf(notEmpty(a), concat('[', arrayStringConcat(arrayMap((s, i, d, b, y, k, n) -> multiIf(isNotNull(s), toJSONString(assumeNotNull(s)), isNotNull(coalesce(y, k, n)), toJSONString(base64Encode(coalesce(y, k, n, ''))), coalesce(toString(i), toString(d), toString(b), 'null')), tupleElement(a, 'string_value'), tupleElement(a, 'int_value'), tupleElement(a, 'double_value'), tupleElement(a, 'bool_value'), tupleElement(a, 'bytes_value'), tupleElement(a, 'kvlist_value'), tupleElement(a, 'array_value')), ','), ']'), isNotNull(s), toJSONString(assumeNotNull(s)), isNotNull(coalesce(k, y)), toJSONString(base64Encode(coalesce(k, y, ''))), coalesce(toString(i), toString(d), toString(b), 'null'))), tupleElement(tupleElement(tupleElement(ss, 'scope'), 'attributes'), 'key'), tupleElement(tupleElement(tupleElement(tupleElement(ss, 'scope'), 'attributes'), 'value'), 'string_value'), tupleElement(tupleElement(tupleElement(tupleElement(ss, 'scope'), 'attributes'), 'value'), 'int_value'), tupleElement(tupleElement(tupleElement(tupleElement(ss, 'scope'), 'attributes'), 'value'), 'double_value'), tupleElement(tupleElement(tupleElement(tupleElement(ss, 'scope'), 'attributes'), 'value'), 'bool_value'), tupleElement(tupleElement(tupleElement(tupleElement(tupleElement(ss, 'scope'), 'attributes'), 'value'), 'array_value'), 'values'), tupleElement(tupleElement(tupleElement(tupleElement(ss, 'scope'), 'attributes'), 'value'), 'kvlist_value'), tupleElement(tupleElement(tupleElement(tupleElement(ss, 'scope'), 'attributes'), 'value'), 'bytes_value')), ','), '}')) AS scope_attributes,
                    tupleElement(ss, 'spans') AS spans
                FROM (
                    SELECT
                        tenant, resource, resource_schema_url, arrayJoin(scope_spans) AS ss,
                        toLowCardinality(r_text[indexOf(r_codes, 11)]) AS r_team,
                        toLowCardinality(r_text[indexOf(r_codes, 12)]) AS r_project,
                        toLowCardinality(r_text[indexOf(r_codes, 13)]) AS r_feature,
                        toLowCardinality(r_text[firstNonDefault(indexOf(r_codes, 14), indexOf(r_codes, 99))]) AS r_customer,
                        toLowCardinality(r_text[firstNonDefault(indexOf(r_codes, 15), indexOf(r_codes, 100))]) AS r_environment,
                        toLowCardinality(r_text[firstNonDefault(indexOf(r_codes, 16), indexOf(r_codes, 101))]) AS r_workflow,
                        toLowCardinality(r_text[indexOf(r_codes, 19)]) AS r_site,
                        toLowCardinality(r_text[indexOf(r_codes, 20)]) AS r_tier,
                        toLowCardinality(r_text[indexOf(r_codes, 130)]) AS r_service_name,
                        toLowCardinality(r_text[indexOf(r_codes, 131)]) AS r_service_namespace,
                        toLowCardinality(r_text[indexOf(r_codes, 132)]) AS r_service_version,
                        toLowCardinality(r_text[indexOf(r_codes, 133)]) AS r_service_instance_id,
                        toLowCardinality(r_text[indexOf(r_codes, 134)]) AS r_sdk_language,
                        r_int[indexOf(r_codes, 135)] AS r_process_pid,
                        toLowCardinality(r_text[indexOf(r_codes, 136)]) AS r_host_id,
                        toLowCardinality(r_text[indexOf(r_codes, 137)]) AS r_host_name,
                        toLowCardinality(r_text[indexOf(r_codes, 138)]) AS r_host_type,
                        toLowCardinality(r_text[indexOf(r_codes, 139)]) AS r_container_id,
                        toLowCardinality(r_text[indexOf(r_codes, 140)]) AS r_cloud_provider,
                        toLowCardinality(r_text[indexOf(r_codes, 141)]) AS r_cloud_account_id,
                        toLowCardinality(r_text[indexOf(r_codes, 142)]) AS r_cloud_region,
                        toLowCardinality(r_text[indexOf(r_codes, 143)]) AS r_cloud_availability_zone,
                        toLowCardinality(r_text[indexOf(r_codes, 144)]) AS r_k8s_cluster_name,
                        toLowCardinality(r_text[indexOf(r_codes, 145)]) AS r_k8s_namespace_name,
                        toLowCardinality(r_text[indexOf(r_codes, 146)]) AS r_k8s_node_name,
                        toLowCardinality(r_text[indexOf(r_codes, 147)]) AS r_k8s_pod_name,
                        toLowCardinality(if(empty(r_text[indexOf(r_codes, 31)] AS one_accelerator_id), arrayStringConcat(arrayFilter(x -> x != '', arrayMap(e -> ifNull(e, ''), r_lists[indexOf(r_keys, 31)])), ','), one_accelerator_id)) AS r_accelerator_id,
                        toLowCardinality(r_text[indexOf(r_codes, 32)]) AS r_accelerator_model,
                        toLowCardinality(r_text[indexOf(r_codes, 33)]) AS r_accelerator_type,
                        r_bool[indexOf(r_codes, 75)] AS r_simulated
                    FROM (
                        SELECT
                            *, arrayMap(x -> assumeNotNull(x), tupleElement(r_value, 'string_value')) AS r_text,
                            tupleElement(tupleElement(tupleElement(r_value, 'array_value'), 'values'), 'string_value') AS r_lists, tupleElement(r_value, 'int_value') AS r_int, tupleElement(r_value, 'bool_value') AS r_bool,
                            arrayMap((code, text, i, b) -> multiIf(text != '', code, isNotNull(i), code, isNotNull(b), code, 0),
                                r_keys, r_text, r_int, r_bool) AS r_codes
                        FROM (
                            SELECT
                                toLowCardinality(tenant) AS tenant, tupleElement(rs, 'schema_url') AS resource_schema_url, tupleElement(rs, 'scope_spans') AS scope_spans,
                                toLowCardinality(concat('{', arrayStringConcat(arrayMap((key, s, i, d, b, a, k, y) -> concat(toJSONString(key), ':', multiIf(notEmpty(a), concat('[', arrayStringConcat(arrayMap((s, i, d, b, y, k, n) -> multiIf(isNotNull(s), toJSONString(assumeNotNull(s)), isNotNull(coalesce(y, k, n)), toJSONString(base64Encode(coalesce(y, k, n, ''))), coalesce(toString(i), toString(d), toString(b), 'null')), tupleElement(a, 'string_value'), tupleElement(a, 'int_value'), tupleElement(a, 'double_value'), tupleElement(a, 'bool_value'), tupleElement(a, 'bytes_value'), tupleElement(a, 'kvlist_value'), tupleElement(a, 'array_value')), ','), ']'), isNotNull(s), toJSONString(assumeNotNull(s)), isNotNull(coalesce(k, y)), toJSONString(base64Encode(coalesce(k, y, ''))), coalesce(toString(i), toString(d), toString(b), 'null'))), tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'key'), tupleElement(tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'value'), 'string_value'), tupleElement(tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'value'), 'int_value'), tupleElement(tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'value'), 'double_value'), tupleElement(tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'value'), 'bool_value'), tupleElement(tupleElement(tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'value'), 'array_value'), 'values'), tupleElement(tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'value'), 'kvlist_value'), tupleElement(tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'value'), 'bytes_value')), ','), '}')) AS resource,
                                arrayMap(key -> transform(key, ['tollbook.team', 'tollbook.project', 'tollbook.feature', 'tollbook.customer', 'deployment.environment.name', 'gen_ai.workflow.name', 'tollbook.site', 'tollbook.tier', 'hw.id', 'hw.model', 'hw.type', 'tollbook.simulated', 'tollbook.tenant', 'deployment.environment', 'traceloop.workflow.name', 'service.name', 'service.namespace', 'service.version', 'service.instance.id', 'telemetry.sdk.language', 'process.pid', 'host.id', 'host.name', 'host.type', 'container.id', 'cloud.provider', 'cloud.account.id', 'cloud.region', 'cloud.availability_zone', 'k8s.cluster.name', 'k8s.namespace.name', 'k8s.node.name', 'k8s.pod.name'], [11, 12, 13, 14, 15, 16, 19, 20, 31, 32, 33, 75, 99, 100, 101, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143, 144, 145, 146, 147]::Array(UInt8), 0::UInt8), tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'key')) AS r_keys, tupleElement(tupleElement(tupleElement(rs, 'resource'), 'attributes'), 'value') AS r_value
                            FROM (SELECT tupleElement(pair, 1) AS rs, tupleElement(pair, 2) AS tenant
FROM (
    SELECT arrayJoin(arrayZip(resource_spans, if(empty(bodies), arrayWithConstant(length(resource_spans), 'default'),
        arrayFlatten(arrayMap((number, tenant) -> arrayWithConstant(number, tenant), tupleElement(bodies, 'resources'), tupleElement(bodies, 'tenant')))))) AS pair
    FROM /*SOURCE*/
))
                        )
                    )
                )
            )
            ARRAY JOIN spans AS sp
        )
    )
)
