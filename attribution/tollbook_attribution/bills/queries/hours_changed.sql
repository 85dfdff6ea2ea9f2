-- Which hours does a new reconciliation change? Those in which it says something else than the one before. They are settled again.
INSERT INTO fact_hours (window, tenant, signal, facts)
SELECT
    toStartOfHour(window) AS window, {tenant:String} AS tenant, 'bills' AS signal, count() AS facts
FROM (
    SELECT
        window, billing_period_start, provider, service, account, currency, category, resource, ledger_provider, ledger_account, item, charge_category,
        charge_class, weighed_by
    FROM bill_shares
    WHERE tenant = {tenant:String} AND run IN ({run:UInt64}, {before:UInt64})
    GROUP BY
        window, billing_period_start, provider, service, account, currency, category, resource, ledger_provider, ledger_account, item, charge_category,
        charge_class, weighed_by
    HAVING sumIf(amount, run = {run:UInt64}) != sumIf(amount, run = {before:UInt64})
        OR sumIf(amount_usd, run = {run:UInt64}) != sumIf(amount_usd, run = {before:UInt64})
)
GROUP BY window
SETTINGS insert_deduplicate = 0
