-- Bills (facts): what providers charged, line by line, with every digit of the file.
--
-- A line belongs to a billing period of one provider and one billing account. An import names the periods that it brings, and its lines count
-- from then on; those of earlier imports stay, and are seen no more. Amounts have 50 digits after the point: a bill written with binary
-- floating point has numbers such as 1.2000000000000001E-5, and its sum is the bill's only with all of them.
CREATE TABLE IF NOT EXISTS bill_lines (
    tenant LowCardinality(String),
    import_id UInt64,
    file LowCardinality(String) COMMENT 'name of the file',
    line UInt64 COMMENT 'row of the file, from 1; its header is not counted',
    format LowCardinality(String) COMMENT 'focus, aws_cur, azure, oci or google',
    provider LowCardinality(String) COMMENT 'as the ledger calls it: aws, azure, google, oci, openai',
    provider_name LowCardinality(String) COMMENT 'as the bill calls it',
    publisher_name LowCardinality(String),
    invoice_issuer_name LowCardinality(String),
    invoice_id LowCardinality(String),
    billing_account_id LowCardinality(String),
    billing_account_name LowCardinality(String),
    sub_account_id LowCardinality(String),
    sub_account_name LowCardinality(String),
    billing_period_start DateTime('UTC'),
    billing_period_end DateTime('UTC'),
    charge_period_start DateTime('UTC'),
    charge_period_end DateTime('UTC'),
    charge_category LowCardinality(String) COMMENT 'Usage, Purchase, Tax, Credit or Adjustment',
    charge_class LowCardinality(String) COMMENT 'Correction, or empty',
    charge_frequency LowCardinality(String),
    charge_description String,
    line_type LowCardinality(String) COMMENT 'what the provider itself calls this kind of line',
    service_category LowCardinality(String),
    service_subcategory LowCardinality(String),
    service_name LowCardinality(String),
    region LowCardinality(String),
    availability_zone LowCardinality(String),
    resource_id String,
    resource_name String,
    resource_type LowCardinality(String),
    sku_id LowCardinality(String),
    sku_price_id LowCardinality(String),
    sku_meter LowCardinality(String),
    pricing_category LowCardinality(String),
    pricing_quantity Nullable(Decimal(76, 50)),
    pricing_unit LowCardinality(String),
    consumed_quantity Nullable(Decimal(76, 50)),
    consumed_unit LowCardinality(String),
    list_unit_price Nullable(Decimal(76, 50)),
    contracted_unit_price Nullable(Decimal(76, 50)),
    billing_currency LowCardinality(String),
    billed_cost Decimal(76, 50),
    effective_cost Decimal(76, 50) COMMENT 'with commitments spread over what they cover; the billed cost where the file does not tell',
    list_cost Nullable(Decimal(76, 50)),
    contracted_cost Nullable(Decimal(76, 50)),
    commitment_id LowCardinality(String),
    commitment_name LowCardinality(String),
    commitment_type LowCardinality(String),
    commitment_category LowCardinality(String),
    commitment_status LowCardinality(String),
    tags Map(LowCardinality(String), String)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(billing_period_start)
ORDER BY (tenant, provider, billing_account_id, billing_period_start, import_id, charge_period_start, file, line);

-- What each import brought of each billing period. The newest one of a period is in force.
CREATE TABLE IF NOT EXISTS bill_periods (
    tenant LowCardinality(String),
    provider LowCardinality(String),
    billing_account_id LowCardinality(String),
    billing_period_start DateTime('UTC'),
    billing_period_end DateTime('UTC'),
    import_id UInt64,
    imported_at DateTime64(3, 'UTC'),
    parts Array(UInt64) COMMENT 'imports whose lines make the period: this one, and with --add those before it',
    files Array(String),
    format LowCardinality(String),
    billing_currency LowCardinality(String),
    lines UInt64,
    billed_cost Decimal(76, 50),
    effective_cost Decimal(76, 50)
)
ENGINE = MergeTree
ORDER BY (tenant, provider, billing_account_id, billing_period_start, import_id);

CREATE VIEW IF NOT EXISTS current_bill_periods AS
SELECT * FROM bill_periods
WHERE (tenant, provider, billing_account_id, billing_period_start, import_id) IN (
    SELECT tenant, provider, billing_account_id, billing_period_start, max(import_id) AS newest
    FROM bill_periods
    GROUP BY tenant, provider, billing_account_id, billing_period_start
);

-- The lines in force.
CREATE VIEW IF NOT EXISTS bill AS
SELECT * FROM bill_lines
WHERE (tenant, provider, billing_account_id, billing_period_start, import_id) IN (
    SELECT tenant, provider, billing_account_id, billing_period_start, arrayJoin(parts) AS part
    FROM current_bill_periods
);

-- The lines of files while they are imported, as text, under one set of names for all formats.
CREATE TABLE IF NOT EXISTS bill_texts (
    import_id UInt64,
    file UInt32,
    line UInt64,
    comma Bool COMMENT 'whether the comma is the decimal sign',
    digest FixedString(16) COMMENT 'of all columns of the line',
    numbers Array(String) COMMENT 'in the order of Bills: BilledCost, EffectiveCost, ListCost, ContractedCost, ListUnitPrice, ContractedUnitPrice, PricingQuantity, ConsumedQuantity',
    times Array(String) COMMENT 'BillingPeriodStart, BillingPeriodEnd, ChargePeriodStart, ChargePeriodEnd',
    provider_name String,
    publisher_name String,
    invoice_issuer_name String,
    invoice_id String,
    billing_account_id String,
    billing_account_name String,
    sub_account_id String,
    sub_account_name String,
    charge_category String,
    charge_class String,
    charge_frequency String,
    charge_description String,
    line_type String,
    service_category String,
    service_subcategory String,
    service_name String,
    region String,
    availability_zone String,
    resource_id String,
    resource_name String,
    resource_type String,
    sku_id String,
    sku_price_id String,
    sku_meter String,
    pricing_category String,
    pricing_unit String,
    consumed_unit String,
    billing_currency String,
    commitment_id String,
    commitment_name String,
    commitment_type String,
    commitment_category String,
    commitment_status String,
    tags Map(String, String)
)
ENGINE = MergeTree
PARTITION BY import_id
ORDER BY (file, line);

-- The same, with numbers as a Decimal takes them and times read. `1,234.50`, `$10,100.00 ` and `(5.00)` are how people's spreadsheets write numbers;
-- `1,234` alone may be either of two numbers, so it is none. A day written with slashes has the month first.
CREATE VIEW IF NOT EXISTS bill_texts_read AS
SELECT
    *,
    arrayMap(
        x -> multiIf(
            comma AND match(x, '^[+-]?(\\d{1,3}(\\.\\d{3})+|\\d+)(,\\d+)?$'), replaceOne(replaceAll(x, '.', ''), ',', '.'),
            NOT comma AND match(x, '^[+-]?\\d{1,3}(,\\d{3})+\\.\\d+$'), replaceAll(x, ',', ''),
            x
        ),
        arrayMap(
            x -> replaceRegexpOne(replaceRegexpAll(x, '[\\s\\x{00a0}$€£¥]', ''), '^\\((.*)\\)$', '-\\1'),
            numbers
        )
    ) AS plain_numbers,
    arrayMap(
        x -> multiIf(
            match(x, '^(0?[1-9]|1[0-2])/\\d{1,2}/(\\d{2}|\\d{4})( |$)'), parseDateTime64BestEffortUSOrNull(x, 3, 'UTC'),
            match(x, '^(\\d{8}$|\\d{4}-\\d|\\d{1,2}\\.\\d{1,2}\\.\\d{4})'), parseDateTime64BestEffortOrNull(x, 3, 'UTC'),
            NULL
        ),
        times
    ) AS moments
FROM bill_texts;

-- What each hour is estimated to have cost, by what a bill can name: kept beside the ledger, where billed amounts take the place of these.
CREATE TABLE IF NOT EXISTS estimates_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64,
    category LowCardinality(String),
    resource LowCardinality(String),
    provider LowCardinality(String),
    account LowCardinality(String) COMMENT 'empty where no span names it',
    unit LowCardinality(String),
    quantity Decimal(38, 9) COMMENT 'of the lines',
    seen Decimal(38, 9) COMMENT 'of the resource as a whole, such as the seconds that a machine was observed; 0 where the lines tell it',
    amount_usd Decimal(38, 18)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement, category, resource);

CREATE VIEW IF NOT EXISTS estimates AS
SELECT
    window, tenant, category, resource,
    anyIf(e.provider, e.provider != '') AS provider,
    e.account AS account,
    anyIf(e.unit, e.seen != 0 OR e.quantity != 0) AS unit,
    if(sum(e.seen) != 0, sum(e.seen), sum(e.quantity)) AS quantity,
    sum(e.amount_usd) AS amount_usd
FROM estimates_settled AS e
WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements)
GROUP BY window, tenant, category, resource, account;

-- What people say a billed line is of, where nothing else tells it. Empty matches everything; `%` and `_` as in LIKE.
CREATE TABLE IF NOT EXISTS bill_mappings (
    tenant LowCardinality(String),
    mapping_id String,
    set_at DateTime64(6, 'UTC'),
    provider LowCardinality(String),
    account String,
    service String,
    resource String COMMENT 'of the bill: its id or name',
    sku String COMMENT 'id, meter or description of what was bought',
    category LowCardinality(String) COMMENT 'of the ledger; empty: the line is of nothing that the ledger knows',
    ledger_resource String COMMENT 'of the ledger; empty for all of the category and provider',
    ledger_provider LowCardinality(String),
    removed Bool
)
ENGINE = MergeTree
ORDER BY (tenant, mapping_id, set_at);

CREATE VIEW IF NOT EXISTS current_bill_mappings AS
SELECT * FROM bill_mappings
WHERE (tenant, mapping_id, set_at) IN (SELECT tenant, mapping_id, max(set_at) AS newest FROM bill_mappings GROUP BY tenant, mapping_id) AND NOT removed;

-- Runs of the reconciliation. The newest one of a tenant is in force.
CREATE TABLE IF NOT EXISTS bill_runs (
    tenant LowCardinality(String),
    run UInt64,
    reconciled_at DateTime64(3, 'UTC'),
    cost LowCardinality(String) COMMENT 'billed or effective: which cost of the bill takes the place of estimates',
    basis UInt64 COMMENT 'digest of all that it was worked out from; it is run again when this has changed'
)
ENGINE = MergeTree
ORDER BY (tenant, run);

CREATE VIEW IF NOT EXISTS current_bill_runs AS
SELECT tenant, max(b.run) AS run, argMax(b.cost, b.run) AS cost, argMax(b.basis, b.run) AS basis FROM bill_runs AS b GROUP BY tenant;

-- What each part of a bill was found to be of: lines of one service and account, one target and one charge period.
CREATE TABLE IF NOT EXISTS bill_matches (
    tenant LowCardinality(String),
    run UInt64,
    match_id UInt64,
    billing_period_start DateTime('UTC'),
    charge_period_start DateTime('UTC'),
    charge_period_end DateTime('UTC'),
    provider LowCardinality(String),
    service LowCardinality(String),
    account LowCardinality(String),
    rule LowCardinality(String) COMMENT 'mapping, resource, model, provider; or why there is no target',
    category LowCardinality(String) COMMENT 'of the target in the ledger; without one, of what was bought',
    resource String COMMENT 'target in the ledger, * for all of a provider; empty for none',
    ledger_provider LowCardinality(String),
    ledger_account LowCardinality(String),
    billed_resource String COMMENT 'one of those billed',
    unit LowCardinality(String) COMMENT 'of the ledger, where quantities can be compared',
    billed_quantity Decimal(76, 50),
    known_quantity Decimal(38, 9),
    estimate_usd Decimal(38, 18),
    lines UInt64,
    billed Decimal(76, 50) COMMENT 'of the cost that is reconciled, in the currency of the bill',
    amount Decimal(38, 18) COMMENT 'the same, as the ledger has it',
    currency LowCardinality(String),
    usd_per_unit Nullable(Decimal(38, 18)) COMMENT 'NULL where there is no exchange rate: then it is not in the ledger',
    amount_usd Decimal(38, 18),
    explained Decimal(38, 18) COMMENT 'what is split over lines of the ledger; the rest is unattributed',
    explained_usd Decimal(38, 18)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(billing_period_start)
ORDER BY (tenant, run, provider, service, account);

CREATE VIEW IF NOT EXISTS current_bill_matches AS
SELECT * FROM bill_matches WHERE (tenant, run) IN (SELECT tenant, run FROM current_bill_runs);

-- What of the bill belongs to which hour. Steps 57 put it in the place of the estimates.
CREATE TABLE IF NOT EXISTS bill_shares (
    tenant LowCardinality(String),
    run UInt64,
    window DateTime('UTC'),
    billing_period_start DateTime('UTC'),
    provider LowCardinality(String),
    service LowCardinality(String),
    account LowCardinality(String),
    currency LowCardinality(String),
    category LowCardinality(String),
    resource String COMMENT 'target in the ledger, * for all of a provider; empty for what no line explains',
    ledger_provider LowCardinality(String),
    ledger_account LowCardinality(String),
    item LowCardinality(String) COMMENT 'what an amount without a target is',
    amount Decimal(38, 18),
    amount_usd Decimal(38, 18)
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, run);

CREATE VIEW IF NOT EXISTS current_bill_shares AS
SELECT * FROM bill_shares WHERE (tenant, run) IN (SELECT tenant, run FROM current_bill_runs);

-- The bill while it is reconciled: what was charged, and what each charge is of.
CREATE TABLE IF NOT EXISTS bill_charges (
    run UInt64,
    tenant LowCardinality(String),
    thing UInt64 COMMENT 'digest of all that tells what a charge is of',
    provider LowCardinality(String),
    service LowCardinality(String),
    service_category LowCardinality(String),
    account LowCardinality(String),
    billing_period_start DateTime('UTC'),
    billing_period_end DateTime('UTC'),
    charge_period_start DateTime('UTC'),
    charge_period_end DateTime('UTC'),
    charge_category LowCardinality(String),
    resource_id String,
    resource_name String,
    sku_id LowCardinality(String),
    sku_meter LowCardinality(String),
    description String,
    unit LowCardinality(String) COMMENT 'of the bill, in small letters',
    quantity Decimal(76, 50),
    currency LowCardinality(String),
    billed Decimal(76, 50),
    lines UInt64
)
ENGINE = MergeTree
PARTITION BY run
ORDER BY (thing, charge_period_start);

CREATE TABLE IF NOT EXISTS bill_targets (
    run UInt64,
    thing UInt64,
    rule LowCardinality(String),
    category LowCardinality(String),
    resource String,
    ledger_provider LowCardinality(String),
    ledger_account LowCardinality(String)
)
ENGINE = MergeTree
PARTITION BY run
ORDER BY thing;
