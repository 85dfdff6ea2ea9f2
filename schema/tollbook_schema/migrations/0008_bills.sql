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
