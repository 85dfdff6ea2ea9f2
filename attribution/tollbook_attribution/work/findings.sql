-- What was done more than once in the hour that is settled.
CREATE TABLE IF NOT EXISTS work_repeats (
    settlement UInt64,
    kind LowCardinality(String),
    subject String,
    service_name LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    trace_id FixedString(16),
    span_id FixedString(8),
    sameness UInt64,
    place UInt64,
    duration_ns Int64,
    bytes Int64
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_repeat_costs (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    cost_usd Decimal(38, 18)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);
