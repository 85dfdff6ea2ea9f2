-- What is known of machines before their cost is shared: CPU time and memory of the processes that report them.
CREATE TABLE IF NOT EXISTS work_busy_cpus (
    settlement UInt64,
    host LowCardinality(String),
    service_name LowCardinality(String) COMMENT 'empty where several services report',
    samples UInt64,
    busy_seconds Float64,
    observed_seconds Float64,
    logical_cpus Float64 COMMENT '0 where nobody counts them'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY host;

CREATE TABLE IF NOT EXISTS work_process_memory (
    settlement UInt64,
    process UInt64,
    host LowCardinality(String),
    bytes Int64 COMMENT 'mean of its samples',
    held_ns Int64 COMMENT 'from the first to the last fact of the process',
    spans_ns Int64 COMMENT 'of these, with at least one span in progress',
    self_ns Int64 COMMENT 'wall time of its spans without their children, added up'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY process;

-- Which machines were seen, and which rate was in force when?
CREATE TABLE IF NOT EXISTS work_seen_hosts (
    settlement UInt64,
    host LowCardinality(String),
    host_name LowCardinality(String),
    region LowCardinality(String),
    cluster LowCardinality(String),
    purchase LowCardinality(String),
    first_seen DateTime64(9, 'UTC'),
    last_seen DateTime64(9, 'UTC'),
    kinds Array(Tuple(Int64, String)) COMMENT 'from when on it was of which type, in order'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY host;

CREATE TABLE IF NOT EXISTS work_rate_terms (
    settlement UInt64,
    host LowCardinality(String),
    from_ns Int64,
    until_ns Int64,
    rate_id String,
    vcpus Decimal(9, 3),
    memory_gib Nullable(Decimal(12, 3)),
    usd_units Int256 COMMENT 'USD per hour, in units of the 18th decimal; so are the next two, which are of it',
    memory_units Int256,
    accelerator_units Int256,
    accelerators UInt16,
    split String
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (host, from_ns);

-- Of machines whose rate changed within the hour: which was in force when, and what a span's time cost by it.
CREATE TABLE IF NOT EXISTS work_rate_changes (
    settlement UInt64,
    host LowCardinality(String),
    from_ns Int64,
    until_ns Int64,
    cpu_units Int256 COMMENT 'thousandths of CPUs x time',
    usd_units Int256 COMMENT 'USD per hour and CPU, in units of the 18th decimal'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (host, from_ns);

CREATE TABLE IF NOT EXISTS work_rate_weights (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    weight Int64 COMMENT 'of its time in the mean of the hour, in 10^-12'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

-- What is left of the resources that the same requests bear, laid end to end in units of the 18th decimal.
CREATE TABLE IF NOT EXISTS work_pools (
    settlement UInt64,
    category LowCardinality(String),
    pool LowCardinality(String) COMMENT 'a machine, a cluster or all of them, and what is shared of them',
    method LowCardinality(String),
    resource LowCardinality(String),
    item LowCardinality(String),
    unit LowCardinality(String),
    quantity Decimal(38, 9),
    start_time DateTime64(9, 'UTC'),
    price_id LowCardinality(String),
    price_version LowCardinality(String),
    basis LowCardinality(String),
    place UInt64 COMMENT 'from 1 on',
    from_units Int128,
    upto_units Int128
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (category, pool, place);

-- Who bears them: requests' lines of the same pool, laid end to end along the same money.
CREATE TABLE IF NOT EXISTS work_bearers (
    settlement UInt64,
    category LowCardinality(String),
    pool LowCardinality(String),
    trace_id FixedString(16),
    span_id FixedString(8),
    start_time DateTime64(9, 'UTC'),
    from_units Int128,
    upto_units Int128
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (category, pool, from_units);
