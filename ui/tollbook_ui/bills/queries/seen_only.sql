-- What does the ledger have in a time that a bill of its provider covers, and no line of the bill names? Machines may be of any cloud that billed.
SELECT category, resource, provider, account, uniqExact(window) AS hours, sum(l.amount_usd) AS amount_usd
FROM (
    SELECT tenant, window, toString(category) AS category, resource, provider, account, amount_usd
    FROM ledger
    WHERE basis != 'invoice' AND NOT simulated
        AND window >= (SELECT min(billing_period_start) FROM current_bill_periods WHERE notEmpty(parts))
        AND window < (SELECT max(billing_period_end) FROM current_bill_periods WHERE notEmpty(parts))
) AS l
INNER JOIN (
    SELECT tenant, provider AS billed_by, billing_period_start, billing_period_end FROM current_bill_periods
    WHERE notEmpty(parts) AND ({provider:String} = '' OR provider = {provider:String})
        AND ({period:String} = '' OR formatDateTime(addHours(billing_period_start, 14), '%Y-%m') = {period:String})
) AS p ON l.tenant = p.tenant
WHERE l.window >= p.billing_period_start AND l.window < p.billing_period_end
    AND (l.provider = p.billed_by OR (l.provider = '' AND p.billed_by IN ('aws', 'azure', 'google', 'oci')))
GROUP BY category, resource, provider, account
ORDER BY amount_usd DESC, category, resource, account
LIMIT {limit:UInt32}
