-- Who bears what is left of what was paid, by the tenant's policy?
-- Idle money of a machine goes to what its tenant set: lines of its own ('separate'), unattributed without a cause ('none'), or to requests
-- of the same machine, cluster or tenant ('by-node', 'by-cluster', 'by-use'). What nobody could bear stays a line of its own.
-- What was used by no span that tells of it is unattributed under every policy.
-- Where there is: work_left
INSERT INTO work_pools
WITH policy AS (
    SELECT if(count() = 0, 'separate', argMax(method, (valid_from, set_at))) AS method FROM policies
    WHERE tenant = {tenant:String} AND subject = 'idle' AND valid_from <= {window:DateTime('UTC')}
),
pooled AS (
    SELECT
        w.category AS category, w.resource AS resource, w.item AS item, w.unit AS unit, w.quantity AS quantity, w.amount_usd AS amount_usd,
        w.start_time AS start_time, w.price_id AS price_id, w.price_version AS price_version, w.basis AS basis, p.method AS method,
        concat(w.unit, ' ', multiIf(p.method = 'by-node', concat('of ', w.node), p.method = 'by-cluster', concat('in ', w.cluster), '')) AS pool
    FROM work_left AS w
    CROSS JOIN policy AS p
    WHERE w.settlement = {settlement:UInt64} AND w.allocation = 'idle' AND w.amount_usd > 0 AND p.method LIKE 'by-%'
)
SELECT
    {settlement:UInt64} AS settlement, category, pool, method, resource, item, unit, quantity, start_time, price_id, price_version, basis,
    row_number() OVER each AS place,
    sum(own_units) OVER each - own_units AS from_units,
    sum(own_units) OVER each AS upto_units
FROM (SELECT *, toInt128(reinterpret(toDecimal256(amount_usd, 18), 'Int256')) AS own_units FROM pooled)
WINDOW each AS (PARTITION BY category, pool ORDER BY resource, item ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
