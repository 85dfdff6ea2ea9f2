-- What is derived from all facts: calls, ledger, requests, lineage, findings.
--
-- A derived row carries `tenant`, `window`, the hour its span started in, and `settlement`, the settlement that wrote it. The tables are named
-- `<name>_settled`; readers use the views of plain names, which show the newest settlement of each tenant's window only. So a window is replaced
-- over all tables at once by one row in `settlements`.

-- Prices of machine hours; all other prices stand in 0005_prices.sql.
CREATE TABLE IF NOT EXISTS instance_rates (
    rate_id String,
    provider LowCardinality(String),
    instance_type LowCardinality(String) COMMENT 'equals host.type of the telemetry',
    region LowCardinality(String) COMMENT 'empty for every region',
    vcpus Decimal(9, 3),
    memory_gib Nullable(Decimal(12, 3)),
    usd_per_hour Decimal(38, 18),
    valid_from DateTime('UTC'),
    source String,
    set_at DateTime64(3, 'UTC')
)
ENGINE = MergeTree
ORDER BY (instance_type, region, valid_from);

-- Rows of each signal per hour of event time, counted as they arrive: a window whose count has moved since its settlement is settled again.
CREATE TABLE IF NOT EXISTS fact_hours (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    signal Enum8('spans' = 1, 'metrics' = 2, 'bills' = 3, 'logs' = 4) COMMENT 'bills: changes that reconciling a bill made; logs: those that tell of model calls',
    facts UInt64
)
ENGINE = SummingMergeTree
ORDER BY (tenant, window, signal)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS fact_hours_of_spans TO fact_hours AS
SELECT
    tenant,
    toStartOfHour(toDateTime(least(start_time, toDateTime64('2106-02-07 05:59:59', 9, 'UTC')), 'UTC'), 'UTC') AS window,
    CAST('spans', 'Enum8(\'spans\' = 1, \'metrics\' = 2, \'bills\' = 3, \'logs\' = 4)') AS signal,
    count() AS facts
FROM spans
GROUP BY tenant, window;

CREATE MATERIALIZED VIEW IF NOT EXISTS fact_hours_of_metrics TO fact_hours AS
SELECT
    tenant,
    toStartOfHour(toDateTime(least(time, toDateTime64('2106-02-07 05:59:59', 9, 'UTC')), 'UTC'), 'UTC') AS window,
    CAST('metrics', 'Enum8(\'spans\' = 1, \'metrics\' = 2, \'bills\' = 3, \'logs\' = 4)') AS signal,
    count() AS facts
FROM metrics
GROUP BY tenant, window;

CREATE MATERIALIZED VIEW IF NOT EXISTS fact_hours_of_logs TO fact_hours AS
SELECT
    tenant,
    toStartOfHour(toDateTime(least(time, toDateTime64('2106-02-07 05:59:59', 9, 'UTC')), 'UTC'), 'UTC') AS window,
    CAST('logs', 'Enum8(\'spans\' = 1, \'metrics\' = 2, \'bills\' = 3, \'logs\' = 4)') AS signal,
    count() AS facts
FROM logs
WHERE event_name IN ('gen_ai.client.inference.operation.details', 'claude_code.api_request')
    OR attributes['event.name'] IN ('gen_ai.client.inference.operation.details', 'claude_code.api_request', 'api_request')
GROUP BY tenant, window;

CREATE TABLE IF NOT EXISTS settlements (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64 COMMENT 'the newest one of a window is the one in force',
    settled_at DateTime64(3, 'UTC'),
    versions Map(LowCardinality(String), String) COMMENT 'of the program and of the price lists',
    facts UInt64 COMMENT 'rows of the window that had arrived, from fact_hours',
    spans UInt64,
    requests UInt64,
    calls UInt64 COMMENT 'counted ones',
    unpriced_calls UInt64,
    lines UInt64,
    amount_usd Decimal(38, 18),
    previous UInt64 COMMENT 'the settlement it replaced, 0 for none',
    difference_usd Decimal(38, 18) COMMENT 'amount less the amount of the previous settlement',
    covered Array(LowCardinality(String)) COMMENT 'categories that this settlement knows how to price',
    not_covered Array(LowCardinality(String)) COMMENT 'categories that may have cost money and are not in the amount',
    unrated_hosts UInt64 COMMENT 'hosts without an instance rate: their cost is unknown',
    duration_ms UInt64
)
ENGINE = MergeTree
ORDER BY (tenant, window, settlement);

CREATE VIEW IF NOT EXISTS current_settlements AS
SELECT tenant, window, max(settlement) AS settlement FROM settlements GROUP BY tenant, window;

CREATE TABLE IF NOT EXISTS requests_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    trace_id FixedString(16),
    start_time DateTime64(9, 'UTC'),
    end_time DateTime64(9, 'UTC'),
    duration_ns Int64,
    name LowCardinality(String),
    service_name LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    customer String,
    environment LowCardinality(String),
    status Enum8('ok' = 1, 'error' = 2),
    span_count UInt32,
    inference_count UInt32 COMMENT 'counted calls',
    handoff_count UInt32,
    handoff_bytes UInt64,
    hops UInt32 COMMENT 'spans of kind client or producer',
    simulated Bool COMMENT 'true where a stand-in answered at least one call',
    continued Bool COMMENT 'true for the rest of a trace that began in an earlier window',
    cost_usd Nullable(Decimal(38, 18)) COMMENT 'sum of its ledger lines; NULL where it has none, as nothing that it used has a known price',
    unpriced_calls UInt32,
    input_age_ns Nullable(Int64) COMMENT 'age of the oldest input at inference',
    site LowCardinality(String),
    tier LowCardinality(String),
    INDEX by_trace trace_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, start_time);

CREATE VIEW IF NOT EXISTS requests AS
SELECT * FROM requests_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

CREATE TABLE IF NOT EXISTS calls_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    duration_ns Int64,
    provider LowCardinality(String),
    model LowCardinality(String) COMMENT 'asked for',
    response_model LowCardinality(String) COMMENT 'that answered',
    operation LowCardinality(String),
    input_tokens Nullable(Int64) COMMENT 'fresh ones: neither read from nor written to the cache',
    cache_read_tokens Nullable(Int64),
    cache_write_tokens Nullable(Int64) COMMENT 'of both lifetimes',
    output_tokens Nullable(Int64) COMMENT 'visible ones: without reasoning',
    reasoning_tokens Nullable(Int64),
    buckets Map(LowCardinality(String), Int64) COMMENT 'the same by kind, and what is no token; they exclude each other',
    flags Array(LowCardinality(String)) COMMENT 'what is odd about the counts',
    dialect LowCardinality(String) COMMENT 'how its span is spelt, a row of the table of dialects',
    service_tier LowCardinality(String),
    role Enum8('counted' = 1, 'rollup' = 2, 'twin' = 3) COMMENT 'only counted calls cost money; the others tell of the same calls again',
    price_status Enum8('priced' = 1, 'unpriced' = 2, 'no_tokens' = 3, 'local' = 4),
    reason String COMMENT 'why it is not priced, or what to know about the price',
    cost_usd Nullable(Decimal(38, 18)) COMMENT 'of its tokens; NULL where unknown',
    basis LowCardinality(String) COMMENT 'of the cost: provider or computed; empty where it has none',
    provider_cost_usd Nullable(Decimal(38, 18)) COMMENT 'that the span itself reports',
    computed_usd Nullable(Decimal(38, 18)) COMMENT 'by the price list, whatever the cost was taken from',
    avoided_usd Nullable(Decimal(38, 18)) COMMENT 'what it would have cost, had a cache of one''s own not answered',
    waste LowCardinality(String) COMMENT 'failed, aborted, retried, truncated or duplicate; empty where the answer was of use',
    operation_id FixedString(8) COMMENT 'the span of the first attempt of its operation; zeros where it does not count',
    attempt UInt16 COMMENT '1 for the first; 0 where it does not count',
    attempts UInt16 COMMENT 'of its operation',
    price_provider LowCardinality(String),
    price_model LowCardinality(String),
    location LowCardinality(String),
    service_name LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    customer String,
    environment LowCardinality(String),
    simulated Bool,
    INDEX by_trace trace_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, start_time);

CREATE VIEW IF NOT EXISTS calls AS
SELECT * FROM calls_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

CREATE TABLE IF NOT EXISTS ledger_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    line_id UInt64 COMMENT 'the same in every settlement of the same facts',
    trace_id FixedString(16) COMMENT 'zeros where the line is of no request',
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    allocation Enum8('request' = 1, 'idle' = 2, 'shared' = 3, 'unattributed' = 4),
    category Enum8(
        'tokens' = 1, 'compute' = 2, 'accelerator' = 3, 'storage' = 4, 'transfer' = 5, 'third_party' = 6, 'shared' = 7, 'idle' = 8,
        'unattributed' = 9
    ) COMMENT 'what the money was paid for; idle and unattributed money keeps the category of its resource',
    item LowCardinality(String),
    resource LowCardinality(String) COMMENT 'openai/gpt-4o, host:<id>',
    provider LowCardinality(String) COMMENT 'who is paid, where that is known',
    account LowCardinality(String) COMMENT 'cloud or provider account that pays',
    quantity Decimal(38, 9),
    unit LowCardinality(String),
    amount Decimal(38, 18) COMMENT 'in the currency of its price',
    currency LowCardinality(String),
    amount_usd Decimal(38, 18),
    price_id LowCardinality(String),
    price_version LowCardinality(String),
    basis Enum8('invoice' = 1, 'provider' = 2, 'computed' = 3, 'estimated' = 4),
    method LowCardinality(String) COMMENT 'how the amount was allocated, in words',
    waste LowCardinality(String) COMMENT 'failed, aborted, retried, truncated, duplicate; empty where it was of use',
    simulated Bool,
    service_name LowCardinality(String),
    service_version LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    project LowCardinality(String),
    feature LowCardinality(String),
    customer String,
    environment LowCardinality(String),
    site LowCardinality(String),
    region LowCardinality(String),
    model LowCardinality(String),
    INDEX by_trace trace_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, category, resource, trace_id);

CREATE VIEW IF NOT EXISTS ledger AS
SELECT * FROM ledger_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

CREATE TABLE IF NOT EXISTS resource_costs_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    category Enum8(
        'tokens' = 1, 'compute' = 2, 'accelerator' = 3, 'storage' = 4, 'transfer' = 5, 'third_party' = 6, 'shared' = 7, 'idle' = 8,
        'unattributed' = 9
    ),
    resource LowCardinality(String),
    quantity Decimal(38, 9),
    unit LowCardinality(String),
    amount_usd Decimal(38, 18),
    price_id LowCardinality(String),
    price_version LowCardinality(String),
    basis Enum8('invoice' = 1, 'provider' = 2, 'computed' = 3, 'estimated' = 4)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, category, resource);

CREATE VIEW IF NOT EXISTS resource_costs AS
SELECT * FROM resource_costs_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

-- Machines seen in the window, rated or not.
CREATE TABLE IF NOT EXISTS hosts_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    host LowCardinality(String) COMMENT 'host.id, or host.name where there is none',
    host_name LowCardinality(String),
    host_type LowCardinality(String),
    region LowCardinality(String),
    first_seen DateTime64(9, 'UTC'),
    last_seen DateTime64(9, 'UTC'),
    observed_ns Int64 COMMENT 'from the first to the last fact of the host in the window',
    vcpus Nullable(Decimal(9, 3)),
    capacity_ns Nullable(Int64) COMMENT 'vcpus x observed_ns',
    claimed_ns Int64 COMMENT 'what spans claim of it',
    rate_id LowCardinality(String) COMMENT 'empty where there is no rate for the host type',
    usd_per_hour Nullable(Decimal(38, 18)),
    amount_usd Nullable(Decimal(38, 18)) COMMENT 'NULL where unknown'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, host);

CREATE VIEW IF NOT EXISTS hosts AS
SELECT * FROM hosts_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

CREATE TABLE IF NOT EXISTS lineage_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    trace_id FixedString(16),
    inference_span_id FixedString(8),
    inference_time DateTime64(9, 'UTC'),
    model LowCardinality(String),
    asset_id String,
    asset_version String,
    event_time Nullable(DateTime64(9, 'UTC')),
    age_ns Nullable(Int64) COMMENT 'inference start less event time; NULL where the event time is unknown',
    synced_at Nullable(DateTime64(9, 'UTC')),
    via Enum8('span' = 1, 'trace' = 2) COMMENT 'stamped on the inference, or read earlier in the same trace',
    workflow LowCardinality(String),
    team LowCardinality(String),
    service_name LowCardinality(String),
    INDEX by_trace trace_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, inference_time);

CREATE VIEW IF NOT EXISTS lineage AS
SELECT * FROM lineage_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

CREATE TABLE IF NOT EXISTS findings_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    kind Enum8('repeated_lookup' = 1, 'duplicate_copy' = 2, 'repeated_inference' = 3, 'stale_input' = 4, 'scaffolding' = 5),
    subject String,
    service_name LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    count UInt64,
    duration_ns Int64,
    bytes UInt64,
    cost_usd Decimal(38, 18),
    saving_usd Decimal(38, 18),
    saving_ns Int64,
    example_trace_id FixedString(16),
    detail String,
    scaffolding_class LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, kind, subject);

CREATE VIEW IF NOT EXISTS findings AS
SELECT * FROM findings_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

CREATE TABLE IF NOT EXISTS span_costs_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    duration_ns Int64,
    name LowCardinality(String),
    service_name LowCardinality(String),
    workflow LowCardinality(String),
    team LowCardinality(String),
    scaffolding_class LowCardinality(String) COMMENT 'as stated or by rule; empty where neither says',
    tollbook_kind LowCardinality(String),
    self_ns Int64 COMMENT 'wall time less the time covered by its children',
    cpu_self_ns Nullable(Int64) COMMENT 'CPU time less that of its children on the same thread',
    bytes Nullable(Int64),
    cost_usd Decimal(38, 18) COMMENT 'of the span itself, without its children',
    INDEX by_trace trace_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, trace_id, start_time);

CREATE VIEW IF NOT EXISTS span_costs AS
SELECT * FROM span_costs_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

CREATE TABLE IF NOT EXISTS accelerator_usage_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    device String,
    kind Enum8('gpu' = 1, 'cpu' = 2),
    host LowCardinality(String),
    service_name LowCardinality(String) COMMENT 'of the process, where the device is the CPU as one process used it',
    model LowCardinality(String),
    samples UInt64,
    busy_ratio_avg Nullable(Float64) COMMENT '0 to 1; NULL where unknown',
    busy_seconds Nullable(Float64),
    capacity_seconds Nullable(Float64),
    inference_busy_seconds Nullable(Float64) COMMENT 'time in which at least one inference span held the device',
    source LowCardinality(String) COMMENT 'metric it is computed from',
    cost_usd Nullable(Decimal(38, 18)) COMMENT 'allocated to requests; NULL where unknown',
    idle_usd Nullable(Decimal(38, 18)) COMMENT 'paid and not used; NULL where unknown'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, kind, device);

CREATE VIEW IF NOT EXISTS accelerator_usage AS
SELECT * FROM accelerator_usage_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);
