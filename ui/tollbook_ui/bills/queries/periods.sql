-- Which billing periods are there, newest first?
SELECT
    p.provider AS provider, p.billing_account_id AS billing_account_id, p.billing_period_start AS billing_period_start,
    p.billing_period_end AS billing_period_end, p.billing_currency AS billing_currency, p.billed_cost AS billed_cost,
    p.effective_cost AS effective_cost, p.parts[-1] AS import_id, p.lines AS lines, p.format AS format, p.files AS files, p.imported_at AS imported_at, v.versions AS versions
FROM current_bill_periods AS p
LEFT ANY JOIN (
    SELECT tenant, provider, billing_account_id, billing_period_start, uniqExact(parts) AS versions  -- one that was taken back leaves the parts before it in force again
    FROM bill_periods
    WHERE notEmpty(parts)
    GROUP BY tenant, provider, billing_account_id, billing_period_start
) AS v ON p.tenant = v.tenant AND p.provider = v.provider AND p.billing_account_id = v.billing_account_id
    AND p.billing_period_start = v.billing_period_start
WHERE notEmpty(p.parts) AND ({provider:String} = '' OR p.provider = {provider:String})
    AND ({period:String} = '' OR formatDateTime(addHours(p.billing_period_start, 14), '%Y-%m') = {period:String})
    AND ({brought_by:UInt64} = 0 OR p.import_id = {brought_by:UInt64})
ORDER BY billing_period_start DESC, provider, billing_account_id
LIMIT {limit:UInt32}
