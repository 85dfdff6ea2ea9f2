-- Do the lines of every resource add up to its cost, to the last digit? If not, the settlement ends here and readers keep the one before.
-- Where there is: work_lines, work_priced, work_resources
SELECT sum(throwIf(paid != booked, 'the ledger does not balance: the lines of a resource do not add up to its cost')) AS unbalanced
FROM (
    SELECT category, resource, sum(paid_usd) AS paid, sum(booked_usd) AS booked
    FROM (
        SELECT toString(category) AS category, toString(resource) AS resource, amount_usd AS paid_usd, toDecimal128(0, 18) AS booked_usd
        FROM resource_costs_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
        UNION ALL
        SELECT toString(category) AS category, toString(resource) AS resource, toDecimal128(0, 18) AS paid_usd, amount_usd AS booked_usd
        FROM ledger_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
    )
    GROUP BY category, resource
)
