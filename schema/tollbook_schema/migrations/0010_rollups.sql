-- What an hour cost, added up: questions about cost by owner, model or time read some hundred rows an hour, however many spans it had.
--
-- Written with each settlement and replaced with it. Rows of the ledger, of counted calls and of requests stand below each other, each with the
-- dimensions that it has and the measures that it brings, so that any sum over any dimension is right.

CREATE TABLE IF NOT EXISTS costs_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    allocation LowCardinality(String) COMMENT 'request, idle, shared or unattributed',
    category LowCardinality(String) COMMENT 'as in the ledger; tokens for calls, empty for requests',
    item LowCardinality(String) COMMENT 'empty for calls and requests',
    unit LowCardinality(String) COMMENT 'of the quantity',
    basis LowCardinality(String) COMMENT 'invoice, provider, computed or estimated; empty for what has no price, and for requests',
    waste LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    service_name LowCardinality(String),
    service_version LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    environment LowCardinality(String),
    site LowCardinality(String),
    region LowCardinality(String),
    account LowCardinality(String),
    currency LowCardinality(String) COMMENT 'of the price; the amount here is in US dollars',
    simulated Bool,
    amount_usd Decimal(38, 18),
    quantity Decimal(38, 9),
    lines UInt64 COMMENT 'of the ledger',
    calls UInt64 COMMENT 'counted ones',
    priced_calls UInt64,
    unpriced_calls UInt64,
    local_calls UInt64 COMMENT 'of a model in the caller''s own process or machine: they need no price',
    requests UInt64 COMMENT 'traces that began in the window'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement);

-- By the number alone, which no two settlements share: looking all three up took three quarters of a question's CPU.
CREATE VIEW IF NOT EXISTS costs AS
SELECT * FROM costs_settled WHERE settlement IN (SELECT settlement FROM current_settlements);
