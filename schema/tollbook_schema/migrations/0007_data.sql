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

-- Stored data that somebody declares: one row for as long as a copy of an asset has one size in one place. Never overwritten; of rows that
-- begin a copy at the same time, the one recorded last counts.
CREATE TABLE IF NOT EXISTS stored_assets (
    tenant LowCardinality(String),
    asset_id String,
    location String COMMENT 'where the copy lies: a bucket, a table, a disk',
    provider LowCardinality(String),
    storage_class LowCardinality(String) COMMENT 'as prices name it: s3-standard, ebs-gp3, ...',
    region LowCardinality(String),
    bytes UInt64,
    held_from DateTime64(3, 'UTC'),
    held_until Nullable(DateTime64(3, 'UTC')) COMMENT 'NULL while it is held',
    service_name LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    customer String,
    environment LowCardinality(String),
    recorded_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, asset_id, location, held_from);

-- Copies of assets that handoffs made, changed in size or deleted.
CREATE TABLE IF NOT EXISTS storage_events_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    time DateTime64(9, 'UTC'),
    asset_id String,
    location String,
    provider LowCardinality(String),
    storage_class LowCardinality(String),
    region LowCardinality(String),
    bytes UInt64 COMMENT '0 where it was deleted',
    retention_s Nullable(Int64) COMMENT 'how long it is kept',
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
ORDER BY (tenant, window);

CREATE VIEW IF NOT EXISTS storage_events AS
SELECT * FROM storage_events_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

-- From when to when was each copy held, at which size? What is declared of a copy counts, else what handoffs tell of it.
CREATE VIEW IF NOT EXISTS storage_intervals AS
SELECT
    tenant, asset_id, location, provider, storage_class, region, bytes,
    toInt64(toUnixTimestamp64Milli(held_from)) * 1000000 AS from_ns,
    if(isNull(held_until), 9223372036854775807, toInt64(toUnixTimestamp64Milli(assumeNotNull(held_until))) * 1000000) AS until_ns,
    'declared' AS told_by, service_name, workflow, team, project, feature, customer, environment
FROM (SELECT * FROM stored_assets ORDER BY recorded_at DESC LIMIT 1 BY tenant, asset_id, location, held_from)
WHERE bytes > 0
UNION ALL
SELECT
    tenant, asset_id, location, provider, storage_class, region, bytes,
    time_ns AS from_ns,
    least(if(next_ns = 0, 9223372036854775807, next_ns), ifNull(time_ns + retention_s * 1000000000, 9223372036854775807)) AS until_ns,
    'handoff' AS told_by, service_name, workflow, team, project, feature, customer, environment
FROM (
    SELECT
        *,
        toUnixTimestamp64Nano(time) AS time_ns,
        leadInFrame(time_ns) OVER (
            PARTITION BY tenant, asset_id, location ORDER BY time_ns, span_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS next_ns
    FROM storage_events
)
WHERE bytes > 0 AND (tenant, asset_id, location) NOT IN (SELECT tenant, asset_id, location FROM stored_assets);

-- What each copy held in a day, and what that cost. A day is booked in its last hour.
CREATE TABLE IF NOT EXISTS storage_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    asset_id String,
    location String,
    provider LowCardinality(String),
    storage_class LowCardinality(String),
    region LowCardinality(String),
    bytes UInt64,
    held_ns UInt64 COMMENT 'of the day',
    told_by LowCardinality(String) COMMENT 'declared or handoff',
    unpriced LowCardinality(String) COMMENT 'why it has no price; empty where it has one',
    gb_months Decimal(38, 18) COMMENT 'bytes x time, by 10^9 bytes and the days of the month',
    cost Nullable(Decimal(38, 18)) COMMENT 'in the currency of its price',
    currency LowCardinality(String),
    cost_usd Nullable(Decimal(38, 18)) COMMENT 'NULL where it has no price',
    price_id String,
    price_version LowCardinality(String),
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
ORDER BY (tenant, window);

CREATE VIEW IF NOT EXISTS storage AS
SELECT * FROM storage_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

-- Services that were asked and are paid by use: vector databases, searches, tools.
CREATE TABLE IF NOT EXISTS services_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    service LowCardinality(String) COMMENT 'who is paid',
    product LowCardinality(String),
    item LowCardinality(String) COMMENT 'what is counted: request, query, read_unit, page, ...',
    quantity Decimal(38, 9),
    basis LowCardinality(String) COMMENT 'provider where the span tells the cost, else computed',
    unpriced LowCardinality(String) COMMENT 'why it has no price; empty where it has one',
    cost Nullable(Decimal(38, 18)) COMMENT 'in the currency of its price',
    currency LowCardinality(String),
    cost_usd Nullable(Decimal(38, 18)) COMMENT 'NULL where it has no price',
    price_id String,
    price_version LowCardinality(String),
    service_name LowCardinality(String) COMMENT 'who asked',
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

CREATE VIEW IF NOT EXISTS services AS
SELECT * FROM services_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);
