-- Which prices does an hour choose from, and what do its calls cost? Prices are looked up once for all calls that they cannot tell apart.
CREATE TABLE IF NOT EXISTS work_price_names (
    settlement UInt64,
    provider LowCardinality(String) COMMENT 'as the telemetry says it',
    model String COMMENT 'as the telemetry says it',
    names Array(String) COMMENT 'provider/model of the book that may price it, in small letters, the first one first',
    borrowed Bool COMMENT 'the list prices it for another provider: its tiers and batches are not this one''s',
    reason String COMMENT 'why there is no price, or how the name was read'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (provider, model);

CREATE TABLE IF NOT EXISTS work_boxes (
    settlement UInt64,
    name String COMMENT 'provider/model in small letters',
    provider LowCardinality(String),
    model String,
    item LowCardinality(String),
    unit LowCardinality(String),
    each Decimal(76, 38) COMMENT 'what one unit costs in its currency, not cut off',
    currency LowCardinality(String),
    usd_per_unit Nullable(Decimal(38, 18)) COMMENT 'of the currency on that day',
    first_second UInt32,
    last_second UInt32,
    day_from_s UInt32,
    day_until_s UInt32,
    min_quantity Int64,
    max_quantity Int64,
    service_tier LowCardinality(String),
    batch Bool,
    region LowCardinality(String),
    account LowCardinality(String),
    own Bool COMMENT 'set by people, as contracts are: no discount is taken off it',
    rank Tuple(precedence Int8, of_tenant Bool) COMMENT 'who is heard first',
    valid_from DateTime('UTC'),
    added_at DateTime64(6, 'UTC'),
    price_id String,
    version LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (name, item);

CREATE TABLE IF NOT EXISTS work_price_edges (
    settlement UInt64,
    quantities Array(Int64) COMMENT 'input lengths at which some price changes',
    seconds Array(UInt32) COMMENT 'seconds of the hour at which some price changes'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY settlement;

CREATE TABLE IF NOT EXISTS work_price_wanted (
    settlement UInt64,
    price_key UInt64 COMMENT 'of everything that a price may depend on',
    said_by LowCardinality(String) COMMENT 'the provider as the telemetry says it',
    asked_for String,
    answered_by String,
    tier LowCardinality(String),
    in_batch Bool,
    place LowCardinality(String),
    payer LowCardinality(String),
    quantity Int64,
    at UInt32,
    names Array(String),
    is_borrowed Bool,
    name_reason String
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY price_key;

CREATE TABLE IF NOT EXISTS work_price_found (
    settlement UInt64,
    price_key UInt64,
    item LowCardinality(String),
    unit LowCardinality(String),
    each Decimal(76, 38),
    currency LowCardinality(String),
    usd_per_unit Nullable(Decimal(38, 18)),
    price_id String,
    version LowCardinality(String),
    provider LowCardinality(String),
    model String,
    own Bool,
    service_tier LowCardinality(String),
    batch Bool,
    said_provider LowCardinality(String),
    said_models Array(String),
    payer LowCardinality(String),
    at UInt32
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (price_key, item);

CREATE TABLE IF NOT EXISTS work_price_keys (
    settlement UInt64,
    price_key UInt64 COMMENT 'of everything that a price may depend on',
    price_provider LowCardinality(String),
    price_model LowCardinality(String),
    known Bool COMMENT 'some list or person names the model',
    reason String,
    cache_is_cheaper Bool,
    items Array(LowCardinality(String)) COMMENT 'that have a price',
    prices Array(Tuple(
        unit LowCardinality(String), each Decimal(76, 38), currency LowCardinality(String), each_usd Decimal(76, 38),
        price_id String, price_version String, method String, missing String
    )) COMMENT 'of the items, in their order'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY price_key;

CREATE TABLE IF NOT EXISTS work_price_places (
    settlement UInt64,
    place UInt32 COMMENT 'from 2 on: 1 stands for no price',
    price_key UInt64,
    item LowCardinality(String),
    unit LowCardinality(String),
    each Decimal(76, 38),
    currency LowCardinality(String),
    each_usd Decimal(76, 38),
    price_id LowCardinality(String),
    price_version LowCardinality(String),
    method LowCardinality(String),
    missing String
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY place;

CREATE TABLE IF NOT EXISTS work_priced (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    price_status Enum8('priced' = 1, 'unpriced' = 2, 'no_tokens' = 3, 'local' = 4),
    reason String,
    price_provider LowCardinality(String),
    price_model LowCardinality(String),
    basis LowCardinality(String) COMMENT 'provider, computed or estimated',
    provider_cost_usd Nullable(Decimal(38, 18)) COMMENT 'what the span reports, above 0',
    computed_usd Nullable(Decimal(38, 18)) COMMENT 'what the price book comes to; NULL where a price is missing',
    flags Array(LowCardinality(String)),
    start_time DateTime64(9, 'UTC'),
    account LowCardinality(String) COMMENT 'of the span',
    waste LowCardinality(String),
    cost_usd Decimal(38, 18) COMMENT 'what it counts with; 0 where it is not priced',
    booked Array(Tuple(place UInt32, quantity Int64, amount Decimal(38, 18), amount_usd Decimal(38, 18))) COMMENT 'lines by the price book',
    reported Array(Tuple(
        item String, unit String, quantity Int64, amount Decimal(38, 18), currency String, amount_usd Decimal(38, 18), method String
    )) COMMENT 'lines as the provider reports the cost'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

-- Tables of an earlier release have other lines.
ALTER TABLE work_priced DROP COLUMN IF EXISTS lines;
ALTER TABLE work_priced ADD COLUMN IF NOT EXISTS start_time DateTime64(9, 'UTC');
ALTER TABLE work_priced ADD COLUMN IF NOT EXISTS account LowCardinality(String);
ALTER TABLE work_priced ADD COLUMN IF NOT EXISTS waste LowCardinality(String);
ALTER TABLE work_priced ADD COLUMN IF NOT EXISTS cost_usd Decimal(38, 18);
ALTER TABLE work_priced ADD COLUMN IF NOT EXISTS booked Array(Tuple(
    place UInt32, quantity Int64, amount Decimal(38, 18), amount_usd Decimal(38, 18)
));
ALTER TABLE work_priced ADD COLUMN IF NOT EXISTS reported Array(Tuple(
    item String, unit String, quantity Int64, amount Decimal(38, 18), currency String, amount_usd Decimal(38, 18), method String
));
