-- Which billing periods does an import bring? From the next moment on, these are the ones in force.
-- With `add`, the lines of the period before stay in force beside the new ones.
INSERT INTO bill_periods
SELECT
    {tenant:String} AS tenant,
    n.provider AS provider,
    n.billing_account_id AS billing_account_id,
    n.billing_period_start AS billing_period_start,
    n.billing_period_end AS billing_period_end,
    {import_id:UInt64} AS import_id,
    now64(3, 'UTC') AS imported_at,
    arrayConcat(if({add:Bool}, before.parts, []), [{import_id:UInt64}]) AS parts,
    arrayConcat(if({add:Bool}, before.files, []), n.files) AS files,
    n.format AS format,
    n.billing_currency AS billing_currency,
    n.lines + if({add:Bool}, before.lines, 0) AS lines,
    n.billed_cost + if({add:Bool}, before.billed_cost, toDecimal256(0, 50)) AS billed_cost,
    n.effective_cost + if({add:Bool}, before.effective_cost, toDecimal256(0, 50)) AS effective_cost
FROM (
    SELECT
        provider, billing_account_id, billing_period_start, max(l.billing_period_end) AS billing_period_end,
        arraySort(groupUniqArray(file)) AS files, any(format) AS format, any(billing_currency) AS billing_currency, count() AS lines,
        sum(l.billed_cost) AS billed_cost, sum(l.effective_cost) AS effective_cost
    FROM bill_lines AS l
    WHERE tenant = {tenant:String} AND l.import_id = {import_id:UInt64}
    GROUP BY provider, billing_account_id, billing_period_start
) AS n
LEFT ANY JOIN (SELECT * FROM current_bill_periods WHERE tenant = {tenant:String}) AS before
    ON n.provider = before.provider AND n.billing_account_id = before.billing_account_id AND n.billing_period_start = before.billing_period_start
