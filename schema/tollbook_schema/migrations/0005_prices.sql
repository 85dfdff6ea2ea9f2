-- Prices, discounts, exchange rates and names: facts, dated, never overwritten. A correction is one more row; the newest decides.

-- What one unit of something costs. A row is a box in which one price holds: days [valid_from, valid_until), seconds of the UTC day
-- [day_from_s, day_until_s), a quantity [min_quantity, max_quantity), a service tier, batch or not, a region, an account, a tenant.
-- The quantity is what the price depends on: tokens of the input for 'tokens', what the month came to in the row's own unit for all else.
CREATE TABLE IF NOT EXISTS prices (
    tenant LowCardinality(String) COMMENT 'empty for every tenant',
    price_id String COMMENT 'what is priced: provider/model/item, and the condition if there is one',
    version LowCardinality(String) COMMENT 'of the list it came from, or when it was set',
    category LowCardinality(String) COMMENT 'tokens, accelerator, storage, transfer, third_party, energy',
    provider LowCardinality(String),
    model String COMMENT 'the product: a model, a storage class, an accelerator, a service',
    item LowCardinality(String) COMMENT 'input, cache_read, output, web_search, internet, query, ...',
    unit LowCardinality(String) COMMENT 'token, request, search, image, second, character, page, query, gb, gb_month, gpu_hour, kwh, ...',
    amount Decimal(38, 18) COMMENT 'for one unit, cut off at the 18th decimal',
    quoted Decimal(38, 18) COMMENT 'as its source says it: for `per` units',
    per UInt32,
    currency LowCardinality(String) COMMENT 'ISO 4217',
    valid_from DateTime('UTC'),
    valid_until Nullable(DateTime('UTC')) COMMENT 'NULL while it is valid',
    day_from_s UInt32,
    day_until_s UInt32,
    min_quantity Int64,
    max_quantity Int64,
    service_tier LowCardinality(String) COMMENT 'empty for the standard tier',
    batch Bool COMMENT 'true for what is processed in batches',
    variant LowCardinality(String) COMMENT 'any other condition of the list, as speed=fast; empty for the usual',
    region LowCardinality(String) COMMENT 'empty for every region',
    account LowCardinality(String) COMMENT 'of the provider; empty for every account',
    conditions String COMMENT 'the same conditions in words',
    precedence Enum8('undated list' = 0, 'list' = 1, 'dated list' = 2, 'own' = 3) COMMENT 'who is heard first where several name a price: the greatest',
    source LowCardinality(String),
    source_url String,
    retrieved_at DateTime('UTC') COMMENT 'when the source said so',
    added_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, category, provider, model, item, valid_from);

-- The prices to choose from. The newest version of a list decides all that the list says of a product; of what was set one by one, the
-- newest of each box.
CREATE VIEW IF NOT EXISTS current_prices AS
SELECT * FROM prices
WHERE precedence != 'own' AND (tenant, source, category, provider, model, version) IN (
    SELECT tenant, source, category, provider, model, argMax(version, (retrieved_at, added_at, version)) AS newest
    FROM prices
    WHERE precedence != 'own'
    GROUP BY tenant, source, category, provider, model
)
UNION ALL
SELECT * FROM (
    SELECT * FROM prices
    WHERE precedence = 'own'
    ORDER BY added_at DESC
    LIMIT 1 BY
        tenant, category, provider, model, item, unit, valid_from, day_from_s, day_until_s, min_quantity, max_quantity, service_tier, batch,
        variant, region, account
);

-- Which price a model name of the telemetry stands for, found once per name and price list.
CREATE TABLE IF NOT EXISTS model_names (
    provider LowCardinality(String) COMMENT 'as the telemetry says it',
    model String COMMENT 'as the telemetry says it',
    book LowCardinality(String) COMMENT 'version of the price list that was asked',
    spellings Array(String) COMMENT 'provider/model in small letters as people may have priced it, by every way to read the name',
    price_provider LowCardinality(String) COMMENT 'empty where the name is unknown',
    price_model String,
    standard_tier_only Bool COMMENT 'the list prices it for another provider, without that provider''s service tiers',
    reason String COMMENT 'why there is no price, or how the name was found'
)
ENGINE = MergeTree
ORDER BY (book, provider, model);

-- What a tenant means by a model name: 'our-gateway/fast' stands for openai/gpt-4o. Heard before any list.
CREATE TABLE IF NOT EXISTS model_aliases (
    tenant LowCardinality(String) COMMENT 'empty for every tenant',
    provider LowCardinality(String) COMMENT 'as the telemetry says it, in small letters; empty for any',
    model String COMMENT 'as the telemetry says it, in small letters',
    price_provider LowCardinality(String) COMMENT 'empty where the name has been taken back',
    price_model String,
    set_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, provider, model, set_at);

CREATE VIEW IF NOT EXISTS current_model_aliases AS
SELECT * FROM (SELECT * FROM model_aliases ORDER BY set_at DESC LIMIT 1 BY tenant, provider, model)
WHERE price_provider != '';

-- What a contract takes off list prices. One discount holds for a line: the one that says most about it.
CREATE TABLE IF NOT EXISTS discounts (
    tenant LowCardinality(String) COMMENT 'empty for every tenant',
    discount_id String COMMENT 'the contract''s name',
    category LowCardinality(String) COMMENT 'empty for every category',
    provider LowCardinality(String) COMMENT 'empty for every provider',
    model String COMMENT 'empty for every model',
    item LowCardinality(String) COMMENT 'empty for every item',
    account LowCardinality(String) COMMENT 'of the provider; empty for every account',
    percent Decimal(18, 9) COMMENT 'off the list price; below 0 for what is added to it',
    valid_from DateTime('UTC'),
    valid_until Nullable(DateTime('UTC')),
    source String,
    set_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, discount_id, set_at);

CREATE VIEW IF NOT EXISTS current_discounts AS
SELECT * FROM discounts ORDER BY set_at DESC LIMIT 1 BY tenant, discount_id, category, provider, model, item, account, valid_from;

-- What a unit of a currency is worth in USD. A rate holds from its day to its last day, for weekends and holidays; then it is missing.
CREATE TABLE IF NOT EXISTS exchange_rates (
    currency LowCardinality(String) COMMENT 'ISO 4217',
    day Date,
    last_day Date,
    usd_per_unit Decimal(38, 18),
    source LowCardinality(String),
    set_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
ORDER BY (currency, day, set_at);

-- One rate for each day that has one: of the rates that hold on it the latest, and of these the one set last.
CREATE VIEW IF NOT EXISTS daily_exchange_rates AS
SELECT
    currency,
    held AS day,
    argMax(usd_per_unit, (of, set_at)) AS usd_per_unit,
    argMax(source, (of, set_at)) AS source,
    max(of) AS of_day
FROM (
    SELECT
        currency, usd_per_unit, source, set_at,
        exchange_rates.day AS of,
        arrayJoin(arrayMap(n -> addDays(of, n), range(toUInt64(greatest(dateDiff('day', of, last_day), 0)) + 1))) AS held
    FROM exchange_rates
)
GROUP BY currency, held;

-- What settling again has changed, and why.
CREATE TABLE IF NOT EXISTS repricings (
    tenant LowCardinality(String),
    repricing_id String,
    started_at DateTime64(6, 'UTC'),
    since DateTime('UTC'),
    until DateTime('UTC'),
    team LowCardinality(String),
    provider LowCardinality(String),
    model LowCardinality(String),
    category LowCardinality(String),
    item LowCardinality(String),
    before_quantity Decimal(38, 9),
    after_quantity Decimal(38, 9),
    before_usd Decimal(38, 18),
    after_usd Decimal(38, 18),
    before_unpriced_calls UInt64,
    after_unpriced_calls UInt64,
    reason String
)
ENGINE = MergeTree
ORDER BY (tenant, started_at, repricing_id);
