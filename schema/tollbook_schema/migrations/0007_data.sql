-- Facts that come as files: calls of usage exports, and stored data that is declared.

-- Rows of a file of usage while it is read, until all of them are known to be good.
CREATE TABLE IF NOT EXISTS usage_staged (
    import_id UInt64,
    row UInt64 COMMENT 'from 1 on',
    fields Map(LowCardinality(String), String) COMMENT 'what the row says of a call, as text',
    start_ns Nullable(Int64) COMMENT 'NULL where the time cannot be read',
    end_ns Nullable(Int64)
)
ENGINE = MergeTree
PARTITION BY import_id
ORDER BY row;

-- Files of usage that were imported.
CREATE TABLE IF NOT EXISTS usage_imports (
    tenant LowCardinality(String),
    import_id UInt64,
    imported_at DateTime64(3, 'UTC'),
    file String,
    digest String COMMENT 'SHA-256 of its bytes',
    columns Map(String, String) COMMENT 'the column of each thing that was taken',
    constants Map(String, String) COMMENT 'what held for every row',
    times String COMMENT 'how its times were read',
    rows UInt64,
    new_calls UInt64 COMMENT 'rows that told of calls not known before',
    first_call DateTime64(9, 'UTC'),
    last_call DateTime64(9, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, imported_at);

-- Bytes that crossed a boundary, each counted once, and what that cost.
CREATE TABLE IF NOT EXISTS transfers_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    class LowCardinality(String) COMMENT 'same_zone, cross_zone, cross_region, internet, internet_in, nat, private_link or unknown',
    reason LowCardinality(String) COMMENT 'how the class was decided, or why it is not known',
    declared Bool COMMENT 'true where the span, or a handoff around it, says the class',
    bytes UInt64,
    source LowCardinality(String),
    destination LowCardinality(String),
    provider LowCardinality(String),
    account LowCardinality(String),
    region LowCardinality(String) COMMENT 'whose rates hold',
    unpriced LowCardinality(String) COMMENT 'why it has no price; empty where it has one',
    cost_usd Nullable(Decimal(38, 18)) COMMENT 'NULL where it has no price',
    service_name LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    customer String,
    environment LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, trace_id, span_id);

CREATE VIEW IF NOT EXISTS transfers AS
SELECT * FROM transfers_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

-- Bytes of an hour by what its tiers are counted over, and those of the hours of the month before it.
CREATE TABLE IF NOT EXISTS transfer_volumes_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    provider LowCardinality(String),
    account LowCardinality(String),
    region LowCardinality(String),
    item LowCardinality(String),
    bytes UInt64,
    month_bytes UInt64 COMMENT 'of the hours of the month before this one, when it was settled'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window);

CREATE VIEW IF NOT EXISTS transfer_volumes AS
SELECT * FROM transfer_volumes_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);
