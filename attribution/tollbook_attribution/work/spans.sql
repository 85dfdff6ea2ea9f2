-- What is known of each span while an hour is settled.
CREATE TABLE IF NOT EXISTS work_spans (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8),
    name LowCardinality(String),
    kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    start_time DateTime64(9, 'UTC'),
    duration_ns Int64,
    status_code Enum8('unset' = 0, 'ok' = 1, 'error' = 2),
    error_type LowCardinality(String),
    streams Bool,
    scope_name LowCardinality(String),
    service_name LowCardinality(String),
    service_version LowCardinality(String),
    process UInt64,
    thread LowCardinality(String),
    host LowCardinality(String),
    host_name LowCardinality(String),
    host_type LowCardinality(String),
    region LowCardinality(String),
    account LowCardinality(String),
    accelerator_id LowCardinality(String),
    cpu_time_ns Nullable(Int64),
    tollbook_kind LowCardinality(String),
    operation LowCardinality(String),
    framework_kind LowCardinality(String),
    provider LowCardinality(String),
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    response_id String,
    service_tier LowCardinality(String),
    input_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    cache_read_tokens Nullable(Int64),
    cache_write_tokens Nullable(Int64),
    reasoning_tokens Nullable(Int64),
    finish_reasons Array(LowCardinality(String)),
    told Map(LowCardinality(String), String) COMMENT 'attributes, those of GenAI events too, that the table of dialects reads',
    location LowCardinality(String),
    input_digest String,
    input_asset_ids Array(String),
    input_event_time_oldest_ns Nullable(Int64),
    input_event_time_newest_ns Nullable(Int64),
    asset_id String,
    asset_version String,
    asset_event_time_ns Nullable(Int64),
    asset_synced_at_ns Nullable(Int64),
    handoff_operation LowCardinality(String),
    handoff_source LowCardinality(String),
    handoff_destination LowCardinality(String),
    handoff_bytes Nullable(Int64),
    bytes Nullable(Int64),
    content_digest String,
    scaffolding_class LowCardinality(String),
    simulated Bool,
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    customer String,
    environment LowCardinality(String),
    site LowCardinality(String),
    tier LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_efforts (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    self_ns Int64,
    cpu_self_ns Nullable(Int64),
    claim_ns Int64,
    estimated Bool,
    scaffolding_class LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_doubled (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_owners (
    settlement UInt64,
    trace_id FixedString(16),
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    customer String,
    environment LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY trace_id;
