-- What a day cost: its hours added up once more, so that a question about months reads a day's rows instead of those of 24 hours.
--
-- A day holds while it was added up from the settlements that are in force, which the sum of their numbers says: each number is greater than the one it takes
-- the place of. Until it is added up again, and where it never was, readers see its hours. So nothing here has to happen at once with a settlement.

CREATE TABLE IF NOT EXISTS day_costs_settled (
    window DateTime('UTC') COMMENT 'its first hour',
    tenant LowCardinality(String),
    made_from UInt64 COMMENT 'sum of the numbers of the settlements of its hours',
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
ORDER BY (tenant, window, made_from);

CREATE VIEW IF NOT EXISTS settled_days AS
SELECT tenant, toStartOfDay(window) AS day, sum(settlement) AS made_from, count() AS hours FROM current_settlements GROUP BY tenant, day;

-- Which days hold, and which hours stand by themselves, is asked once for both: as a constant.
CREATE VIEW IF NOT EXISTS day_costs AS
WITH (
    SELECT (groupArrayIf(day, added), groupArrayIf(made_from, added), groupArrayArrayIf(windows, NOT added), groupArrayArrayIf(numbers, NOT added))
    FROM (
        SELECT
            toStartOfDay(window) AS day,
            sum(settlement) AS made_from,
            groupArray(window) AS windows,
            groupArray(settlement) AS numbers,
            (tenant, day, made_from) IN (SELECT tenant, window, made_from FROM day_costs_settled GROUP BY tenant, window, made_from) AS added
        FROM current_settlements
        GROUP BY tenant, day
    )
) AS known
SELECT * EXCEPT made_from FROM day_costs_settled WHERE window IN (known.1) AND made_from IN (known.2)
UNION ALL
SELECT toStartOfDay(window) AS window, * EXCEPT (window, settlement)
FROM costs_settled AS h
WHERE h.window IN (known.3) AND h.settlement IN (known.4);
