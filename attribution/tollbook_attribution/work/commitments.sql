-- What was paid ahead, as much of it as falls to the hour.
CREATE TABLE IF NOT EXISTS work_commitments (
    settlement UInt64,
    commitment_id LowCardinality(String),
    kind LowCardinality(String),
    provider LowCardinality(String),
    covers LowCardinality(String),
    region LowCardinality(String),
    account LowCardinality(String),
    unit LowCardinality(String),
    capacity Decimal(38, 9) COMMENT 'units of use that the hour pays for; 0 for any number',
    amount_usd Decimal(38, 18),
    version LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY commitment_id;

-- What requests used of it, but for machines and accelerators.
CREATE TABLE IF NOT EXISTS work_committed (
    settlement UInt64,
    commitment_id LowCardinality(String),
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    used Decimal(38, 9)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);
