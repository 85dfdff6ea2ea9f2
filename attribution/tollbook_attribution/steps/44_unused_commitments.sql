-- What was paid ahead for machines that did not run?
-- Where there is: work_commitments
INSERT INTO work_left
WITH borne AS (
    SELECT commitment, sum(hosts_settled.committed_usd) AS usd, sum(observed_ns) AS ns
    FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND commitment != ''
    GROUP BY commitment
),
paid AS (
    SELECT
        arrayStringConcat(arraySort(groupArray(toString(commitment_id))), '+') AS ids, sum(w.amount_usd) AS usd,
        sum(if(w.unit = 'usd' AND w.capacity = 0, toDecimal256(w.amount_usd, 9), toDecimal256(w.capacity, 9))) AS capacity,
        max(w.version) AS version, w.unit AS unit
    FROM work_commitments AS w
    WHERE w.settlement = {settlement:UInt64} AND w.unit IN ('host_hour', 'usd')
    GROUP BY covers, region, unit
)
SELECT
    {settlement:UInt64} AS settlement,
    'compute' AS category,
    concat('commitment:', p.ids) AS resource,
    '' AS node,
    '' AS cluster,
    'unused commitment' AS item,
    'idle' AS allocation,
    toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
    if(
        p.unit = 'usd', toDecimal128(toDecimal256(p.capacity, 9) * reinterpret(toDecimal256(p.usd - b.usd, 18), 'Int256') / reinterpret(toDecimal256(p.usd, 18), 'Int256'), 9),
        toDecimal128(greatest(toDecimal256(p.capacity, 9) - toDecimal256(ifNull(b.ns, 0), 9) / toInt256(3600000000000), toDecimal256(0, 9)), 9)
    ) AS quantity,
    p.unit AS unit,
    p.usd - b.usd AS amount_usd,
    p.ids AS price_id,
    p.version AS price_version,
    'computed' AS basis,
    'what was paid ahead and nobody used' AS method
FROM paid AS p
LEFT ANY JOIN borne AS b ON p.ids = b.commitment
WHERE p.usd > b.usd;

INSERT INTO work_resources
SELECT settlement, category, resource, quantity, unit, amount_usd, price_id, price_version, basis
FROM work_left
WHERE settlement = {settlement:UInt64} AND category = 'compute' AND item = 'unused commitment'
