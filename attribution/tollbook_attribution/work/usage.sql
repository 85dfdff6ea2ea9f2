-- What do log records and metrics tell of model calls while an hour is settled?
CREATE TABLE IF NOT EXISTS work_told_elsewhere (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8) COMMENT 'the span that a record belongs to',
    source Enum8('logs' = 1, 'metrics' = 2),
    name LowCardinality(String),
    start_time DateTime64(9, 'UTC'),
    duration_ns Int64,
    scope_name LowCardinality(String),
    service_name LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    told Map(LowCardinality(String), String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    customer String,
    environment LowCardinality(String),
    names Array(String) COMMENT 'of the model, without what stands before it and its date',
    aside LowCardinality(String) COMMENT 'the server or gateway that counts for its clients; empty for who calls itself'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (source, trace_id, span_id);

ALTER TABLE work_told_elsewhere
    ADD COLUMN IF NOT EXISTS names Array(String) COMMENT 'of the model, without what stands before it and its date',
    ADD COLUMN IF NOT EXISTS aside LowCardinality(String) COMMENT 'the server or gateway that counts for its clients; empty for who calls itself';
