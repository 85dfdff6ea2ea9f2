-- What does the store hold: rows of each signal, and what they were settled to?
SELECT
    (SELECT count() FROM spans) AS spans,
    (SELECT count() FROM metrics) AS metrics,
    (SELECT count() FROM logs) AS logs,
    (
        SELECT toString(sum(amount_usd)) FROM settlements
        WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements)
    ) AS ledger_usd,
    (SELECT max(number) FROM schema_migrations) AS schema
