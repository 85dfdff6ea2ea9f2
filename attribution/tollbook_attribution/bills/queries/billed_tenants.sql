-- Who has bills?
SELECT DISTINCT tenant FROM bill_periods ORDER BY tenant
