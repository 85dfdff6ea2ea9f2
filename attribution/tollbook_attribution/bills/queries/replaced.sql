-- Which bills in force does an import take the place of, how large are they, and how large is it?
SELECT
    n.provider AS provider, n.billing_account_id AS account, n.period AS period, n.file AS file, n.currency AS currency, n.lines AS lines, n.billed AS billed,
    b.currency AS currency_before, b.lines AS lines_before, b.billed AS billed_before
FROM (
    SELECT
        l.provider AS provider, l.billing_account_id AS billing_account_id, l.billing_period_start AS billing_period_start,
        formatDateTime(l.billing_period_start, '%Y-%m-%d') AS period, min(l.file) AS file, any(l.billing_currency) AS currency, count() AS lines,
        sum(l.billed_cost) AS billed
    FROM bill_lines AS l
    WHERE tenant = {tenant:String} AND import_id = {import_id:UInt64}
    GROUP BY provider, billing_account_id, billing_period_start
) AS n
INNER JOIN (
    SELECT provider, billing_account_id, billing_period_start, billing_currency AS currency, lines, billed_cost AS billed
    FROM current_bill_periods
    WHERE tenant = {tenant:String} AND notEmpty(parts)
) AS b ON n.provider = b.provider AND n.billing_account_id = b.billing_account_id AND n.billing_period_start = b.billing_period_start
WHERE lines != lines_before OR billed != billed_before OR currency != currency_before
ORDER BY provider, account, period
