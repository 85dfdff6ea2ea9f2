-- Which budgets are there, by name?
SELECT
    budget,
    amount_usd,
    toString(period) AS period,
    owner,
    parent,
    conditions,
    warn_ratio,
    toString(tenant) AS tenant,
    at AS set_at
FROM budgets
WHERE tenant = ifNull({tenant:Nullable(String)}, tenant)
ORDER BY tenant, budget
