-- What is known of each model call while an hour is settled.
CREATE TABLE IF NOT EXISTS work_calls (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    response_id String,
    call_class Enum8('leaf' = 1, 'rollup' = 2),
    embedding Bool,
    models Array(String),
    has_usage Bool,
    usage_score Int16,
    fresh_tokens Nullable(Int64),
    cache_read_tokens Nullable(Int64),
    cache_write_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    reasoning_tokens Nullable(Int64),
    total_input_tokens Int64,
    notes Array(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_told_again (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    role LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_priced (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    price_status Enum8('priced' = 1, 'unpriced' = 2, 'no_tokens' = 3, 'local' = 4),
    reason String,
    price_provider LowCardinality(String),
    price_model LowCardinality(String),
    lines Array(Tuple(item LowCardinality(String), unit LowCardinality(String), quantity Int64, amount_usd Decimal(38, 18), price_id String, price_version String))
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);
