-- What the bill says of the hour that is settled.
CREATE TABLE IF NOT EXISTS work_billed_lines (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    allocation LowCardinality(String),
    category LowCardinality(String),
    item LowCardinality(String),
    resource LowCardinality(String),
    provider LowCardinality(String) COMMENT 'of the estimate',
    account LowCardinality(String) COMMENT 'of the estimate',
    model LowCardinality(String),
    unit LowCardinality(String),
    waste LowCardinality(String),
    quantity Decimal(38, 9),
    price_id LowCardinality(String) COMMENT 'names the bill: provider, billing period, account, service',
    billing_period LowCardinality(String),
    billed_by LowCardinality(String),
    service LowCardinality(String),
    billed_to LowCardinality(String) COMMENT 'account',
    currency LowCardinality(String),
    amount Decimal(38, 18),
    amount_usd Decimal(38, 18)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_billed (
    settlement UInt64,
    category LowCardinality(String),
    resource LowCardinality(String),
    provider LowCardinality(String) COMMENT 'of the estimate',
    account LowCardinality(String) COMMENT 'of the estimate'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (category, resource);

ALTER TABLE work_billed_lines ADD COLUMN IF NOT EXISTS charged LowCardinality(String) COMMENT 'billed, or as what: as credit, in correction';
ALTER TABLE work_billed_lines ADD COLUMN IF NOT EXISTS weighed_by LowCardinality(String);

-- Calls without a price, which a bill may name all the same.
CREATE TABLE IF NOT EXISTS work_unpriced (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_unpriced_lines (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    resource LowCardinality(String),
    provider LowCardinality(String),
    account LowCardinality(String),
    waste LowCardinality(String),
    item LowCardinality(String),
    unit LowCardinality(String),
    quantity Int64,
    calls UInt8 COMMENT '1 on the first line of a call'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);
