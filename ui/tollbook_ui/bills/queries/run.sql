-- When were bills set against the ledger last, and which hours wait to be settled again?
SELECT
    (SELECT count() FROM bill_runs) AS runs,
    (SELECT argMax(cost, run) FROM bill_runs) AS cost,
    (SELECT max(reconciled_at) FROM bill_runs) AS reconciled_at,
    (
        SELECT count()
        FROM (SELECT tenant, window, sum(facts) AS facts FROM fact_hours GROUP BY tenant, window HAVING countIf(signal = 'bills') > 0) AS f
        LEFT ANY JOIN (SELECT tenant, window, argMax(facts, settlement) AS facts FROM settlements GROUP BY tenant, window) AS s
            ON f.tenant = s.tenant AND f.window = s.window
        WHERE f.facts != s.facts
    ) AS unsettled_hours
