-- Who bears what is left of what was paid, by the tenant's policy?
-- What is of nobody's use, such as a fixed fee, goes to requests by what they cost, or with 'by-use' by how long they took.
-- Idle money of a machine goes to what its tenant set: lines of its own ('separate'), unattributed without a cause ('none'), or to requests
-- of the same machine, cluster or tenant ('by-node', 'by-cluster', 'by-use'). What nobody could bear stays a line of its own.
-- What was used by no span that tells of it is unattributed under every policy.
-- Where there is: work_left
INSERT INTO work_pools
WITH policy AS (
    SELECT toString(r.allocation) AS allocation, if(r.method = '', 'separate', r.method) AS method
    FROM (
        SELECT a.allocation AS allocation, p.method AS method
        FROM (SELECT arrayJoin(['idle', 'shared', 'unattributed']) AS allocation) AS a
        LEFT ANY JOIN (
            SELECT toString(subject) AS allocation, argMax(policies.method, (valid_from, set_at)) AS method FROM policies
            WHERE tenant = {tenant:String} AND subject IN ('idle', 'shared') AND valid_from <= {window:DateTime('UTC')}
            GROUP BY subject
        ) AS p ON a.allocation = p.allocation
    ) AS r
),
pooled AS (
    SELECT
        w.category AS category, w.resource AS resource, w.item AS item, w.unit AS unit, w.quantity AS quantity, w.amount_usd AS amount_usd,
        w.start_time AS start_time, w.price_id AS price_id, w.price_version AS price_version, w.basis AS basis, p.method AS method,
        if(
            w.allocation = 'shared', 'everything',
            concat(w.unit, ' ', multiIf(p.method = 'by-node', concat('of ', w.node), p.method = 'by-cluster', concat('in ', w.cluster), ''))
        ) AS pool
    FROM work_left AS w
    INNER JOIN policy AS p ON w.allocation = p.allocation
    WHERE w.settlement = {settlement:UInt64} AND w.amount_usd > 0 AND p.method LIKE 'by-%'
)
SELECT
    {settlement:UInt64} AS settlement, category, pool, method, resource, item, unit, quantity, start_time, price_id, price_version, basis,
    row_number() OVER each AS place,
    sum(own_units) OVER each - own_units AS from_units,
    sum(own_units) OVER each AS upto_units
FROM (SELECT *, toInt128(reinterpret(toDecimal256(amount_usd, 18), 'Int256')) AS own_units FROM pooled)
WINDOW each AS (PARTITION BY category, pool ORDER BY resource, item ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
