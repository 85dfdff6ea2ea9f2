-- Facts as they came: spans, metrics, logs. Never changed after they are stored.
--
-- Partitioned by the day of arrival, which a sender's wrong clock cannot multiply; sorted by event time, which is nearly the
-- order of arrival, so that an hour is read from few granules. Spans are sorted by the minute alone: within it they stay as they came,
-- those of a trace together, and take 57 bytes each instead of 75. `toInt64` and not `toStartOfMinute`, which knows no year 2262. A string column holds '' where the attribute is absent, a number NULL.
-- A part as a segment brings it stays in one file (compact) up to 128 MiB: a file per column would be 600 files, each synced.
-- Twelve segments of 51,200 spans took 15 to 20 CPU seconds so, and 20 to 21 with a file per column.
-- Where facts are kept for so many days only (retention.py), whole parts go, and nothing is rewritten for it.

CREATE TABLE IF NOT EXISTS spans (
    tenant LowCardinality(String) COMMENT 'whose key brought it; the collector says it, never the sender',
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8) COMMENT 'zeros where there is none',
    trace_state LowCardinality(String),
    flags UInt32,
    name LowCardinality(String),
    kind Enum8('unspecified' = 0, 'internal' = 1, 'server' = 2, 'client' = 3, 'producer' = 4, 'consumer' = 5),
    start_time DateTime64(9, 'UTC') CODEC(T64, ZSTD(1)),
    duration_ns Int64 CODEC(T64, ZSTD(1)),
    status_code Enum8('unset' = 0, 'ok' = 1, 'error' = 2),
    status_message String,
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    resource LowCardinality(String) COMMENT 'all attributes of the resource, as JSON',
    scope_attributes LowCardinality(String) COMMENT 'as JSON',
    resource_schema_url LowCardinality(String),
    scope_schema_url LowCardinality(String),
    dropped_attributes_count UInt32,
    dropped_events_count UInt32,
    dropped_links_count UInt32,
    events Nested(time DateTime64(9, 'UTC'), name LowCardinality(String), attributes Map(LowCardinality(String), String)),
    links Nested(trace_id FixedString(16), span_id FixedString(8), trace_state String, attributes Map(LowCardinality(String), String)),
    attributes Map(LowCardinality(String), String) COMMENT 'attributes without a column of their own, as text',
    attribute_types Map(LowCardinality(String), Enum8('string' = 0, 'int' = 1, 'double' = 2, 'bool' = 3, 'array' = 4, 'kvlist' = 5, 'bytes' = 6, 'empty' = 7))
        COMMENT 'types of those that are no strings; kvlist and bytes are base64 of the OTLP bytes',
    received_at DateTime('UTC') CODEC(Delta, ZSTD(1)) COMMENT 'when the segment that brought it was opened'
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY intDiv(toInt64(start_time), 60)
SETTINGS default_compression_codec = 'ZSTD(1)', non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 134217728, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE TABLE IF NOT EXISTS span_content (
    tenant LowCardinality(String) COMMENT 'whose key brought it; the collector says it, never the sender',
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    content Map(LowCardinality(String), String) CODEC(ZSTD(1)),
    received_at DateTime('UTC')
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY intDiv(toInt64(start_time), 60)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 134217728, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

-- Where segments are loaded into; its views fill `spans` and `span_content` in the same INSERT.
CREATE TABLE IF NOT EXISTS spans_in AS spans ENGINE = Null;

ALTER TABLE spans_in ADD COLUMN IF NOT EXISTS content Map(LowCardinality(String), String);

CREATE MATERIALIZED VIEW IF NOT EXISTS spans_from_in TO spans AS SELECT * EXCEPT (content) FROM spans_in;

CREATE MATERIALIZED VIEW IF NOT EXISTS span_content_from_in TO span_content AS
SELECT tenant, trace_id, span_id, start_time, content, received_at FROM spans_in WHERE notEmpty(content);

CREATE TABLE IF NOT EXISTS metrics (
    tenant LowCardinality(String) COMMENT 'whose key brought it; the collector says it, never the sender',
    name LowCardinality(String),
    description LowCardinality(String),
    unit LowCardinality(String),
    kind Enum8('gauge' = 1, 'sum' = 2, 'histogram' = 3, 'exponential_histogram' = 4, 'summary' = 5),
    attributes Map(LowCardinality(String), String),
    attribute_types Map(LowCardinality(String), Enum8('string' = 0, 'int' = 1, 'double' = 2, 'bool' = 3, 'array' = 4, 'kvlist' = 5, 'bytes' = 6, 'empty' = 7)),
    start_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    flags UInt32,
    value Nullable(Float64) COMMENT 'of a gauge or sum',
    value_int Nullable(Int64) COMMENT 'exact, where the point was an integer',
    temporality Enum8('unspecified' = 0, 'delta' = 1, 'cumulative' = 2),
    monotonic Bool,
    count Nullable(UInt64),
    sum Nullable(Float64),
    min Nullable(Float64),
    max Nullable(Float64),
    bucket_counts Array(UInt64),
    explicit_bounds Array(Float64),
    scale Int32,
    zero_count UInt64,
    zero_threshold Float64,
    positive_offset Int32,
    positive_counts Array(UInt64),
    negative_offset Int32,
    negative_counts Array(UInt64),
    quantiles Array(Float64),
    quantile_values Array(Float64),
    exemplars Nested(time DateTime64(9, 'UTC'), value Float64, trace_id String, span_id String, attributes Map(LowCardinality(String), String)),
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    resource LowCardinality(String) COMMENT 'all attributes of the resource, as JSON',
    resource_schema_url LowCardinality(String),
    service_name LowCardinality(String),
    service_instance_id LowCardinality(String),
    host_id LowCardinality(String),
    host_name LowCardinality(String),
    host_type LowCardinality(String),
    process_pid Nullable(Int64),
    received_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (name, time)
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 134217728, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE TABLE IF NOT EXISTS logs (
    tenant LowCardinality(String) COMMENT 'whose key brought it; the collector says it, never the sender',
    time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)) COMMENT 'the observed time where the record has none of its own',
    observed_time DateTime64(9, 'UTC') CODEC(Delta, ZSTD(1)),
    trace_id String COMMENT 'empty where the record belongs to no trace',
    span_id String,
    flags UInt32,
    severity_number UInt8,
    severity_text LowCardinality(String),
    event_name LowCardinality(String),
    body String,
    body_type Enum8('string' = 0, 'int' = 1, 'double' = 2, 'bool' = 3, 'array' = 4, 'kvlist' = 5, 'bytes' = 6, 'empty' = 7),
    attributes Map(LowCardinality(String), String),
    attribute_types Map(LowCardinality(String), Enum8('string' = 0, 'int' = 1, 'double' = 2, 'bool' = 3, 'array' = 4, 'kvlist' = 5, 'bytes' = 6, 'empty' = 7)),
    dropped_attributes_count UInt32,
    scope_name LowCardinality(String),
    scope_version LowCardinality(String),
    resource LowCardinality(String) COMMENT 'all attributes of the resource, as JSON',
    resource_schema_url LowCardinality(String),
    service_name LowCardinality(String),
    received_at DateTime('UTC') CODEC(Delta, ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY time
SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1, fsync_part_directory = 1,
    min_bytes_for_wide_part = 134217728, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;
