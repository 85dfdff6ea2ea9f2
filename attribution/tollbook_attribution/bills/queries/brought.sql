-- Which billing periods did an import bring?
SELECT * EXCEPT tenant FROM bill_periods WHERE tenant = {tenant:String} AND import_id = {import_id:UInt64} ORDER BY provider, billing_account_id, billing_period_start
