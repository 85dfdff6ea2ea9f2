-- What is in force once an import is taken back? Of each billing period that it brought last, what it had taken the place of; where that was nothing, nothing.
INSERT INTO bill_periods
SELECT
    {tenant:String} AS tenant,
    n.provider AS provider,
    n.billing_account_id AS billing_account_id,
    n.billing_period_start AS billing_period_start,
    if(earlier.lines = 0, n.billing_period_end, earlier.billing_period_end) AS billing_period_end,
    {undone_by:UInt64} AS import_id,
    now64(3, 'UTC') AS imported_at,
    earlier.parts AS parts,
    earlier.files AS files,
    if(earlier.lines = 0, n.format, earlier.format) AS `format`,  -- noqa: RF06
    if(earlier.lines = 0, n.billing_currency, earlier.billing_currency) AS billing_currency,
    earlier.lines AS lines,
    earlier.billed_cost AS billed_cost,
    earlier.effective_cost AS effective_cost
FROM (SELECT * FROM current_bill_periods WHERE tenant = {tenant:String} AND parts[-1] = {import_id:UInt64}) AS n
LEFT ANY JOIN (
    SELECT * FROM bill_periods WHERE tenant = {tenant:String} AND import_id < {import_id:UInt64}
    ORDER BY import_id DESC LIMIT 1 BY provider, billing_account_id, billing_period_start
) AS earlier
    ON n.provider = earlier.provider AND n.billing_account_id = earlier.billing_account_id AND n.billing_period_start = earlier.billing_period_start
