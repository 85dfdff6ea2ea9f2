-- Who held which accelerator when? Fractions are counted in parts of 28 x 10^15, so that sevenths, quarters and per cents are whole numbers.
CREATE TABLE IF NOT EXISTS work_held_spans (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8),
    device LowCardinality(String),
    slice LowCardinality(String),
    model LowCardinality(String),
    parts UInt64 COMMENT 'that the slice is of the device; 0 where the span names no fraction',
    process UInt64,
    host LowCardinality(String),
    region LowCardinality(String),
    state LowCardinality(String) COMMENT 'active, loading or waiting; empty where the process only has the device',
    tokens UInt64,
    items UInt64,
    start_ns Int64,
    end_ns Int64
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_slices (
    settlement UInt64,
    device LowCardinality(String),
    slice LowCardinality(String),
    parts UInt64,
    sharing LowCardinality(String) COMMENT 'equal, tokens or items',
    why LowCardinality(String) COMMENT 'in words, why it is shared so'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (device, slice);

CREATE TABLE IF NOT EXISTS work_devices (
    settlement UInt64,
    device LowCardinality(String),
    host LowCardinality(String),
    cluster LowCardinality(String),
    model LowCardinality(String),
    busy_ratio Nullable(Float64) COMMENT 'of the time that is paid for, by its samples',
    whole UInt64 COMMENT 'parts in all: those of the device, or of its slices where these exceed it',
    since_ns Int64,
    until_ns Int64,
    amount_usd Nullable(Decimal(38, 18)),
    amount Nullable(Decimal(38, 18)) COMMENT 'in the currency of the price',
    currency LowCardinality(String),
    price_id LowCardinality(String),
    price_version LowCardinality(String),
    committed_usd Decimal(38, 18) COMMENT 'what of the amount was paid ahead'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY device;

CREATE TABLE IF NOT EXISTS work_holds (
    settlement UInt64,
    device LowCardinality(String),
    slice LowCardinality(String),
    state LowCardinality(String) COMMENT 'active, loading, waiting or held',
    subject LowCardinality(String),
    trace_id FixedString(16) COMMENT 'zeros where it is nobody''s share',
    span_id FixedString(8),
    weight UInt64,
    start_ns Int64,
    end_ns Int64
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (device, slice, start_ns);

-- Spans' shares of their slices, and slices' time in each state, in ns x parts x 2^48.
CREATE TABLE IF NOT EXISTS work_shares (
    settlement UInt64,
    device LowCardinality(String),
    slice LowCardinality(String),
    state LowCardinality(String),
    subject LowCardinality(String),
    trace_id FixedString(16),
    span_id FixedString(8),
    units UInt256
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (device, slice, state);

CREATE TABLE IF NOT EXISTS work_holders (
    settlement UInt64,
    device LowCardinality(String),
    slice LowCardinality(String),
    process UInt64,
    start_ns Int64,
    end_ns Int64
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (process, device, slice);

-- What is left of what was paid, before the tenant's policy says who bears it.
CREATE TABLE IF NOT EXISTS work_left (
    settlement UInt64,
    category LowCardinality(String),
    resource LowCardinality(String),
    node LowCardinality(String),
    cluster LowCardinality(String),
    item LowCardinality(String),
    allocation LowCardinality(String) COMMENT 'idle or unattributed',
    start_time DateTime64(9, 'UTC'),
    quantity Decimal(38, 9),
    unit LowCardinality(String),
    amount_usd Decimal(38, 18),
    price_id LowCardinality(String),
    price_version LowCardinality(String),
    basis LowCardinality(String),
    method LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (category, resource, item);

-- What samples say of each device.
CREATE TABLE IF NOT EXISTS work_device_samples (
    settlement UInt64,
    device LowCardinality(String),
    host LowCardinality(String),
    model LowCardinality(String),
    source LowCardinality(String),
    samples UInt64,
    busy_ratio Float64,
    since_ns Int64,
    until_ns Int64
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY device;

-- What energy each device had taken up to an instant, as far as its meters tell: between two of them in proportion to time.
CREATE TABLE IF NOT EXISTS work_energy (
    settlement UInt64,
    device LowCardinality(String),
    host LowCardinality(String),
    model LowCardinality(String),
    site LowCardinality(String),
    region LowCardinality(String),
    first_ns Int64 COMMENT 'first reading of the device',
    last_ns Int64 COMMENT 'last reading of the device',
    at_ns Int64,
    until_ns Int64,
    from_nj Int64 COMMENT 'since the hour began, in nanojoules, at the first of the two',
    upto_nj Int64 COMMENT 'at the second'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (device, at_ns);

-- Parts of machines whose energy meters tell of, and what of it is each span's.
CREATE TABLE IF NOT EXISTS work_machine_parts (
    settlement UInt64,
    device String COMMENT 'as in work_energy',
    host LowCardinality(String) COMMENT 'as spans name it',
    cluster LowCardinality(String),
    site LowCardinality(String),
    region LowCardinality(String),
    rated UInt8 COMMENT 'whether the machine has a rate',
    cpus Decimal(18, 3) COMMENT '0 where nobody says',
    axis_nj Int64 COMMENT 'as the meter tells',
    nj Int64 COMMENT 'without what meters of accelerators tell'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY device;

CREATE TABLE IF NOT EXISTS work_machine_uses (
    settlement UInt64,
    device String,
    trace_id FixedString(16),
    span_id FixedString(8),
    estimated UInt8,
    begin_nj Int64 COMMENT 'where on the axis of its energy the span began',
    end_nj Int64,
    cpu_units Int256 COMMENT 'nanojoules x CPUs used x 2^24'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_machine_shares (
    settlement UInt64,
    device String,
    trace_id FixedString(16),
    span_id FixedString(8),
    estimated UInt8,
    units Int256 COMMENT 'nanojoules of axis_nj x 2^24'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (device, trace_id, span_id);
