-- What is known of data that moves and of services that are asked, while an hour is settled.
CREATE TABLE IF NOT EXISTS work_exchanges (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    sort Enum8('handoff' = 1, 'client' = 2, 'server' = 3),
    process UInt64,
    out_bytes Int64 COMMENT 'that leave the process; of a handoff all bytes',
    in_bytes Int64 COMMENT 'that come in',
    direction Enum8('both' = 0, 'in' = 1, 'out' = 2) COMMENT 'of the bytes of a handoff',
    network LowCardinality(String) COMMENT 'class that the span declares',
    source LowCardinality(String),
    destination LowCardinality(String),
    from_region LowCardinality(String) COMMENT 'where the data comes from, as the span declares it',
    from_zone LowCardinality(String),
    to_region LowCardinality(String),
    to_zone LowCardinality(String),
    cloud LowCardinality(String) COMMENT 'where the span ran',
    account LowCardinality(String),
    region LowCardinality(String),
    zone LowCardinality(String),
    host LowCardinality(String),
    address LowCardinality(String) COMMENT 'of the other end',
    operation LowCardinality(String) COMMENT 'of a handoff',
    asset_id String,
    end_time DateTime64(9, 'UTC'),
    storage_class LowCardinality(String) COMMENT 'where the handoff leaves the asset',
    storage_provider LowCardinality(String),
    retention_s Nullable(Int64)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_exchange_climbs (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_exchange_nesting (
    settlement UInt64,
    trace_id FixedString(16),
    upper_id FixedString(8),
    lower_id FixedString(8),
    height UInt16
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, lower_id);

CREATE TABLE IF NOT EXISTS work_flows (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    class LowCardinality(String),
    reason LowCardinality(String) COMMENT 'how the class was decided, or why it is not known',
    declared Bool,
    way Enum8('out' = 1, 'in' = 2),
    bytes Int64,
    cloud LowCardinality(String),
    account LowCardinality(String),
    region LowCardinality(String) COMMENT 'whose rates hold',
    source LowCardinality(String),
    destination LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_tier_places (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    way Enum8('out' = 1, 'in' = 2),
    sent_before Int256 COMMENT 'bytes of the month before it, where its price has tiers'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

ALTER TABLE work_tier_places
    ADD COLUMN IF NOT EXISTS class LowCardinality(String) AFTER way;

CREATE TABLE IF NOT EXISTS work_transfers (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    class LowCardinality(String),
    reason LowCardinality(String),
    declared Bool,
    bytes Int64,
    cloud LowCardinality(String),
    account LowCardinality(String),
    region LowCardinality(String),
    source LowCardinality(String),
    destination LowCardinality(String),
    unpriced LowCardinality(String) COMMENT 'why it has no price; empty where it has one',
    lines Array(Tuple(
        quantity Decimal(38, 9), unit LowCardinality(String), amount Decimal(38, 18), currency LowCardinality(String), amount_usd Decimal(38, 18),
        price_id String, price_version String
    )) COMMENT 'one for each tier of the month that its bytes fall into'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_line_owners (
    settlement UInt64,
    trace_id FixedString(16) COMMENT 'zeros where the line is of no request',
    span_id FixedString(8) COMMENT 'of lines that are somebody''s though no span of the hour has it',
    service_name LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    customer String,
    environment LowCardinality(String),
    region LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

ALTER TABLE work_line_owners
    ADD COLUMN IF NOT EXISTS account LowCardinality(String), ADD COLUMN IF NOT EXISTS simulated Bool,
    ADD COLUMN IF NOT EXISTS service_version LowCardinality(String), ADD COLUMN IF NOT EXISTS site LowCardinality(String),
    ADD COLUMN IF NOT EXISTS response_model LowCardinality(String), ADD COLUMN IF NOT EXISTS request_model LowCardinality(String);

CREATE TABLE IF NOT EXISTS work_services (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    service LowCardinality(String),
    product LowCardinality(String),
    item LowCardinality(String),
    quantity Decimal(38, 9),
    reported Nullable(Decimal(38, 18)) COMMENT 'cost that the span tells',
    currency LowCardinality(String) COMMENT 'of the reported cost',
    known_only Bool COMMENT 'true for what may be no service at all: it counts only where the price book has it',
    account LowCardinality(String),
    region LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);
