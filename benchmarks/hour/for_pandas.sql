-- What pandas needs to settle an hour: ids, times, owners, models and tokens of its spans.
SELECT
    hex(trace_id) AS trace_id, hex(span_id) AS span_id, hex(parent_span_id) AS parent_span_id, toUnixTimestamp64Nano(start_time) AS start_ns, duration_ns,
    name, service_name, host_id, cpu_time_ns, provider_name, response_model, response_id, input_tokens, output_tokens, cache_read_tokens,
    workflow, team, project, feature, customer, environment
FROM spans
