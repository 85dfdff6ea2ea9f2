-- What was each resource paid in the window? What is known of it as a whole; else what its lines come to.
-- Where there is: work_lines, work_priced, work_resources
INSERT INTO resource_costs_settled
WITH known AS (
    SELECT * FROM work_resources
    WHERE settlement = {settlement:UInt64}
        AND (category, resource) NOT IN (SELECT category, resource FROM work_billed WHERE settlement = {settlement:UInt64})
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    settlement, category, resource, quantity, unit, amount_usd, price_id, price_version, basis
FROM known
UNION ALL
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    l.settlement AS settlement,
    l.category AS category,
    l.resource AS resource,
    sumIf(l.quantity, l.unit = main_unit) AS quantity,
    any(l.main_unit) AS unit,
    sum(l.amount_usd) AS amount_usd,
    l.resource AS price_id,
    max(l.price_version) AS price_version,
    min(l.basis) AS basis
FROM (
    SELECT *, if(category = 'tokens', 'token', unit) AS main_unit
    FROM ledger_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND (category, resource) NOT IN (SELECT category, resource FROM known)
) AS l
GROUP BY l.settlement, l.category, l.resource
