-- What is told of one call by several spans, put together; and which calls were attempts of one operation, or waste.
CREATE TABLE IF NOT EXISTS work_merged AS work_calls;

ALTER TABLE work_merged ADD COLUMN IF NOT EXISTS teller UInt64 AFTER span_id;
ALTER TABLE work_merged ADD COLUMN IF NOT EXISTS start_time DateTime64(9, 'UTC');
ALTER TABLE work_merged ADD COLUMN IF NOT EXISTS location LowCardinality(String);
ALTER TABLE work_merged ADD COLUMN IF NOT EXISTS account_of_span LowCardinality(String);

CREATE TABLE IF NOT EXISTS work_duplicates (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_faults (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    failed Bool,
    cancelled Bool,
    cut Bool,
    again Bool
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_attempts (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    operation_id FixedString(8) COMMENT 'the span of its first attempt',
    attempt UInt16 COMMENT '1 for the first',
    attempts UInt16,
    waste LowCardinality(String) COMMENT 'failed, aborted, retried, truncated, duplicate; empty where the answer was of use'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_rests (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    input_tokens Int64 COMMENT 'that a roll-up tells of beyond what the calls below it tell',
    output_tokens Int64
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);
