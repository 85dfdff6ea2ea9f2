-- Which billing periods in force have lines of an import, and which import was the last to bring lines of them?
SELECT * EXCEPT tenant, parts[-1] AS last_part
FROM current_bill_periods
WHERE tenant = {tenant:String} AND has(parts, {import_id:UInt64})
ORDER BY provider, billing_account_id, billing_period_start
