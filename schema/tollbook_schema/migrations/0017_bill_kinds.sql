-- Of what kind a billed amount is (usage, credit, tax; corrections too) stays with it down to the ledger, and calls without a price take part in it.
ALTER TABLE estimates_settled ADD COLUMN IF NOT EXISTS unpriced_tokens Decimal(38, 9) COMMENT 'of calls without a price; part of the quantity';
ALTER TABLE estimates_settled ADD COLUMN IF NOT EXISTS unpriced_calls UInt64 COMMENT 'calls without a price';

-- Tokens and what is counted otherwise, such as searches, are not added up.
CREATE OR REPLACE VIEW estimates AS
SELECT
    window, tenant, category, resource,
    anyIf(e.provider, e.provider != '') AS provider,
    e.account AS account,
    anyIf(e.unit, e.seen != 0 OR e.quantity != 0) AS unit,
    if(sum(e.seen) != 0, sum(e.seen), sum(e.quantity)) AS quantity,
    sum(e.amount_usd) AS amount_usd,
    sum(e.unpriced_tokens) AS unpriced_tokens,
    sum(e.unpriced_calls) AS unpriced_calls
FROM estimates_settled AS e
WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements)
GROUP BY window, tenant, category, resource, account, if(e.category = 'tokens', e.unit, '');

ALTER TABLE bill_charges ADD COLUMN IF NOT EXISTS charge_class LowCardinality(String);
ALTER TABLE bill_matches ADD COLUMN IF NOT EXISTS charge_category LowCardinality(String);
ALTER TABLE bill_matches ADD COLUMN IF NOT EXISTS charge_class LowCardinality(String);
ALTER TABLE bill_shares ADD COLUMN IF NOT EXISTS charge_category LowCardinality(String);
ALTER TABLE bill_shares ADD COLUMN IF NOT EXISTS charge_class LowCardinality(String);
ALTER TABLE bill_shares ADD COLUMN IF NOT EXISTS weighed_by LowCardinality(String) COMMENT 'estimate; of calls without a price tokens, or calls';

CREATE OR REPLACE VIEW current_bill_matches AS
SELECT * FROM bill_matches WHERE (tenant, run) IN (SELECT tenant, run FROM current_bill_runs);

CREATE OR REPLACE VIEW current_bill_shares AS
SELECT
    *,
    concat(
        'billed', if(charge_category IN ('', 'Usage'), '', concat(' as ', lower(charge_category))), if(charge_class = 'Correction', ' in correction', '')
    ) AS charged
FROM bill_shares
WHERE (tenant, run) IN (SELECT tenant, run FROM current_bill_runs);
