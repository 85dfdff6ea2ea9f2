-- What machines and accelerators cost, who bears what nobody used, and what was paid ahead.

-- Of what an hour of a machine costs: for its CPUs, for its memory, for its accelerators. The three make up usd_per_hour.
ALTER TABLE instance_rates
    ADD COLUMN IF NOT EXISTS cpu_usd_per_hour Decimal(38, 18) DEFAULT usd_per_hour - memory_usd_per_hour - accelerator_usd_per_hour AFTER usd_per_hour,
    ADD COLUMN IF NOT EXISTS memory_usd_per_hour Decimal(38, 18) DEFAULT 0 AFTER cpu_usd_per_hour,
    ADD COLUMN IF NOT EXISTS accelerator_usd_per_hour Decimal(38, 18) DEFAULT 0 AFTER memory_usd_per_hour,
    ADD COLUMN IF NOT EXISTS accelerators UInt16 DEFAULT 0 COMMENT 'how many it has, 0 where the rate pays for none' AFTER accelerator_usd_per_hour,
    ADD COLUMN IF NOT EXISTS split String DEFAULT 'all for its CPUs' COMMENT 'by which rule the three were told apart' AFTER accelerators;

ALTER TABLE hosts_settled
    ADD COLUMN IF NOT EXISTS cluster LowCardinality(String) COMMENT 'k8s.cluster.name' AFTER region,
    ADD COLUMN IF NOT EXISTS cpu_usd Nullable(Decimal(38, 18)) COMMENT 'of the amount' AFTER amount_usd,
    ADD COLUMN IF NOT EXISTS memory_usd Nullable(Decimal(38, 18)) COMMENT 'of the amount' AFTER cpu_usd,
    ADD COLUMN IF NOT EXISTS accelerator_usd Nullable(Decimal(38, 18)) COMMENT 'of the amount' AFTER memory_usd,
    ADD COLUMN IF NOT EXISTS accelerators UInt16 COMMENT 'that the rate pays for' AFTER accelerator_usd,
    ADD COLUMN IF NOT EXISTS split String COMMENT 'by which rule the amount was told apart' AFTER accelerators,
    ADD COLUMN IF NOT EXISTS busy_ns Nullable(Int64) COMMENT 'CPU time of the processes that report it; NULL where none does' AFTER split,
    ADD COLUMN IF NOT EXISTS memory_gib Nullable(Decimal(12, 3)) AFTER busy_ns,
    ADD COLUMN IF NOT EXISTS memory_used_gib_s Nullable(Decimal(38, 9)) COMMENT 'of the processes that report it, x time' AFTER memory_gib,
    ADD COLUMN IF NOT EXISTS memory_claimed_gib_s Nullable(Decimal(38, 9)) COMMENT 'what spans claim of it' AFTER memory_used_gib_s,
    ADD COLUMN IF NOT EXISTS committed_usd Decimal(38, 18) COMMENT 'what of the amount was paid ahead' AFTER memory_claimed_gib_s,
    ADD COLUMN IF NOT EXISTS commitment LowCardinality(String) COMMENT 'by which it was paid ahead' AFTER committed_usd;

CREATE OR REPLACE VIEW hosts AS
SELECT * FROM hosts_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

-- How much of the machines' time can be told whose it was?
CREATE TABLE IF NOT EXISTS machine_coverage_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    spans UInt64,
    spans_without_host UInt64 COMMENT 'their CPU time is on no machine that is known, and in no line',
    spans_without_rate UInt64 COMMENT 'on a machine whose hour has no known cost',
    hosts_without_memory UInt64 COMMENT 'rated for memory, with no process that reports how much it uses',
    accelerators UInt64,
    accelerators_without_price UInt64,
    spans_on_unpriced_accelerators UInt64
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement);

CREATE VIEW IF NOT EXISTS machine_coverage AS
SELECT * FROM machine_coverage_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

-- What did each accelerator do in the window, and what did that cost? The states of a device add up to its time and to its cost.
CREATE TABLE IF NOT EXISTS accelerator_states_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    device LowCardinality(String),
    slice LowCardinality(String) COMMENT 'fraction of the device; empty for the whole device, or for what no fraction has',
    host LowCardinality(String),
    model LowCardinality(String),
    state Enum8('active' = 1, 'unclaimed' = 2, 'loading' = 3, 'waiting for data' = 4, 'no requests' = 5, 'unallocated' = 6),
    subject LowCardinality(String) COMMENT 'where the data comes from that is waited for',
    device_seconds Decimal(38, 9) COMMENT 'time x fraction of the device',
    cost_usd Nullable(Decimal(38, 18)) COMMENT 'NULL where the device has no known price'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, device, slice, state);

CREATE VIEW IF NOT EXISTS accelerator_states AS
SELECT * FROM accelerator_states_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

-- Who bears what nobody used or what is everybody's, and how concurrent requests share an accelerator: as each tenant set it, and when.
CREATE TABLE IF NOT EXISTS policies (
    tenant LowCardinality(String),
    subject Enum8('idle' = 1, 'shared' = 2, 'accelerator' = 3),
    method LowCardinality(String),
    valid_from DateTime('UTC'),
    source String,
    set_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, subject, valid_from);

-- What was paid for a period whatever is used of it: reserved machines, provisioned throughput, seats, subscriptions.
CREATE TABLE IF NOT EXISTS commitments (
    tenant LowCardinality(String),
    commitment_id String,
    kind LowCardinality(String),
    provider LowCardinality(String),
    covers String COMMENT 'an instance type, an accelerator, a model or a service; empty for everything',
    region LowCardinality(String),
    account LowCardinality(String),
    unit LowCardinality(String) COMMENT 'what its use is counted in: host_hour, gpu_hour, token, call, seat, request',
    capacity_per_hour Nullable(Decimal(38, 9)) COMMENT 'units of use that it pays for in an hour; NULL where it pays for any number',
    amount Decimal(38, 18) COMMENT 'for the whole period',
    currency LowCardinality(String),
    valid_from DateTime('UTC'),
    valid_until DateTime('UTC'),
    source String,
    set_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, commitment_id, set_at);
