-- What energy accelerators took, who took it, and what it cost.

-- The energy of a device, told apart by who had the device at each instant. Rows of a device add up to what its meter tells, to the nanojoule.
CREATE TABLE IF NOT EXISTS accelerator_energy_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    device LowCardinality(String),
    slice LowCardinality(String) COMMENT 'fraction of the device; empty for the whole device, or for what no fraction has',
    host LowCardinality(String),
    model LowCardinality(String),
    trace_id FixedString(16) COMMENT 'zeros where it is no request''s',
    span_id FixedString(8),
    state Enum8('active' = 1, 'loading' = 3, 'waiting for data' = 4, 'no requests' = 5, 'unallocated' = 6),
    joules Decimal(38, 9),
    cost_usd Nullable(Decimal(38, 18)) COMMENT 'NULL where it has no line of its own; why says why not',
    why LowCardinality(String) COMMENT 'empty where it is priced',
    price_id LowCardinality(String),
    price_version LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, device, trace_id, span_id);

CREATE VIEW IF NOT EXISTS accelerator_energy AS
SELECT * FROM accelerator_energy_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

ALTER TABLE policies
    MODIFY COLUMN subject Enum8('idle' = 1, 'shared' = 2, 'accelerator' = 3, 'energy' = 4);

ALTER TABLE ledger_settled
    MODIFY COLUMN category Enum8(
        'tokens' = 1, 'compute' = 2, 'accelerator' = 3, 'storage' = 4, 'transfer' = 5, 'third_party' = 6, 'shared' = 7, 'idle' = 8,
        'unattributed' = 9, 'energy' = 10
    );

ALTER TABLE resource_costs_settled
    MODIFY COLUMN category Enum8(
        'tokens' = 1, 'compute' = 2, 'accelerator' = 3, 'storage' = 4, 'transfer' = 5, 'third_party' = 6, 'shared' = 7, 'idle' = 8,
        'unattributed' = 9, 'energy' = 10
    );

CREATE OR REPLACE VIEW ledger AS
SELECT * FROM ledger_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

CREATE OR REPLACE VIEW resource_costs AS
SELECT * FROM resource_costs_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

-- Of each device in the hour: what its meter tells, and what of it requests took; NULL where no meter tells.
ALTER TABLE accelerator_usage_settled
    ADD COLUMN IF NOT EXISTS joules Nullable(Decimal(38, 9)) COMMENT 'as its meter tells' AFTER idle_usd,
    ADD COLUMN IF NOT EXISTS request_joules Nullable(Decimal(38, 9)) COMMENT 'of these, while requests held it' AFTER joules,
    ADD COLUMN IF NOT EXISTS energy_usd Nullable(Decimal(38, 18)) COMMENT 'what they cost; NULL where they have no price of their own' AFTER request_joules;

CREATE OR REPLACE VIEW accelerator_usage AS
SELECT * FROM accelerator_usage_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);
