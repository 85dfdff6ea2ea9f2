-- What was told of budgets, newest first?
SELECT
    toString(tenant) AS tenant,
    budget,
    period_start,
    toString(state) AS state,
    at,
    amount_usd,
    spent_usd,
    forecast_usd,
    message,
    toString(told) AS told
FROM budget_alerts
WHERE tenant = ifNull({tenant:Nullable(String)}, tenant)
ORDER BY at DESC, budget
LIMIT {limit:UInt32}
