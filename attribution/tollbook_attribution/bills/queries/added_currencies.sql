-- Which bills that an import is added to are in another currency than it, and where does it say its own first?
SELECT told.place.1 AS file, told.place.2 AS line, told.currency AS value, there.billing_currency AS before
FROM (
    SELECT provider, billing_account_id, billing_period_start, min((l.file, l.line)) AS place, any(l.billing_currency) AS currency
    FROM bill_lines AS l
    WHERE tenant = {tenant:String} AND import_id = {import_id:UInt64}
    GROUP BY provider, billing_account_id, billing_period_start
) AS told
GLOBAL INNER JOIN (SELECT * FROM current_bill_periods WHERE tenant = {tenant:String} AND notEmpty(parts)) AS there
    ON told.provider = there.provider AND told.billing_account_id = there.billing_account_id AND told.billing_period_start = there.billing_period_start
WHERE told.currency != there.billing_currency
ORDER BY file, line
