-- What is known of each model call while an hour is settled.
CREATE TABLE IF NOT EXISTS work_calls (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    teller UInt64 COMMENT 'who tells of the call: instrumentation scope and service',
    response_id String,
    dialect LowCardinality(String) COMMENT 'of registry/dialects.yaml',
    call_class Enum8('leaf' = 1, 'rollup' = 2),
    embedding Bool,
    provider LowCardinality(String) COMMENT 'as any dialect spells it',
    request_model LowCardinality(String),
    response_model LowCardinality(String),
    models Array(String) COMMENT 'both, without what stands before a slash, in lower case',
    has_usage Bool,
    usage_score Int16 COMMENT 'how many different things it tells',
    buckets Map(LowCardinality(String), Int64) COMMENT 'what was used, each token in one bucket, and things that are no tokens; above 0 only',
    cache_told Bool COMMENT 'whether it says how much was read from the cache, 0 too',
    total_input_tokens Int64,
    flags Array(LowCardinality(String)) COMMENT 'what is odd about the counts, for programs',
    notes Array(String) COMMENT 'the same in words',
    provider_cost Nullable(Decimal(38, 18)) COMMENT 'that the span itself reports',
    provider_currency LowCardinality(String),
    failed Bool,
    finish_reasons Array(LowCardinality(String)),
    local_cache_hit Bool,
    batch Bool,
    service_tier LowCardinality(String),
    region LowCardinality(String),
    account LowCardinality(String),
    fresh_tokens Nullable(Int64),
    cache_read_tokens Nullable(Int64),
    cache_write_tokens Nullable(Int64),
    output_tokens Nullable(Int64),
    reasoning_tokens Nullable(Int64),
    start_time DateTime64(9, 'UTC') COMMENT 'of the span, as what follows; of what is put together, empty',
    location LowCardinality(String),
    account_of_span LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

ALTER TABLE work_calls ADD COLUMN IF NOT EXISTS teller UInt64 AFTER span_id;
ALTER TABLE work_calls ADD COLUMN IF NOT EXISTS start_time DateTime64(9, 'UTC');
ALTER TABLE work_calls ADD COLUMN IF NOT EXISTS location LowCardinality(String);
ALTER TABLE work_calls ADD COLUMN IF NOT EXISTS account_of_span LowCardinality(String);

CREATE TABLE IF NOT EXISTS work_told_again (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    role LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);
