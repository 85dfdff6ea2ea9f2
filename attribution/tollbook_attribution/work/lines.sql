-- What the hour that is settled cost: lines before they have owners, and what each resource was paid.
CREATE TABLE IF NOT EXISTS work_lines (
    settlement UInt64,
    trace_id FixedString(16) COMMENT 'zeros where the line is of no request',
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    allocation LowCardinality(String) COMMENT 'request, idle, shared or unattributed',
    category LowCardinality(String),
    item LowCardinality(String),
    resource LowCardinality(String),
    provider LowCardinality(String),
    account LowCardinality(String) COMMENT 'empty for that of the span',
    model LowCardinality(String) COMMENT 'empty for that of the span',
    quantity Decimal(38, 9),
    unit LowCardinality(String),
    amount Decimal(38, 18) COMMENT 'in the currency of its price',
    currency LowCardinality(String),
    amount_usd Decimal(38, 18) COMMENT 'what the ledger adds up',
    price_id LowCardinality(String),
    price_version LowCardinality(String),
    basis LowCardinality(String) COMMENT 'invoice, provider, computed or estimated',
    method LowCardinality(String),
    waste LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_resources (
    settlement UInt64,
    category LowCardinality(String),
    resource LowCardinality(String),
    quantity Decimal(38, 9),
    unit LowCardinality(String),
    amount_usd Decimal(38, 18),
    price_id LowCardinality(String),
    price_version LowCardinality(String),
    basis LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (category, resource);
