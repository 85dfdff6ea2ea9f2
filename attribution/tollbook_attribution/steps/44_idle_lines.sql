-- What of the machines' cost is no request's? What processes took beyond what spans tell is 'unattributed', the rest is idle, to the last digit.
-- Where there is: hosts
-- Where there is: rates
INSERT INTO work_left
WITH borne AS (
    SELECT resource, item, sum(amount_usd) AS amount_usd, sum(quantity) AS quantity
    FROM work_lines
    WHERE settlement = {settlement:UInt64} AND category = 'compute'
    GROUP BY resource, item
),
parts AS (
    SELECT
        *,
        'CPU time' AS part,
        's' AS unit,
        assumeNotNull(cpu_usd) AS paid_usd,
        toDecimal256(assumeNotNull(capacity_ns), 9) / toInt256(1000000000) AS capacity,
        toDecimal256(greatest(ifNull(busy_ns, 0) - claimed_ns, 0), 9) / toInt256(1000000000) AS busy
    FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != ''
    UNION ALL
    SELECT
        *,
        'memory time' AS part,
        'gib_s' AS unit,
        assumeNotNull(memory_usd) AS paid_usd,
        toDecimal256(ifNull(memory_gib, 0), 9) * toInt256(observed_ns) / toInt256(1000000000) AS capacity,
        toDecimal256(greatest(ifNull(memory_used_gib_s, 0) - ifNull(memory_claimed_gib_s, 0), 0), 9) AS busy
    FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != '' AND memory_usd > 0
),
told AS (
    SELECT
        p.*,
        p.paid_usd - b.amount_usd AS left_usd,
        greatest(p.capacity - b.quantity, toDecimal256(0, 9)) AS left_quantity,
        least(p.busy, left_quantity) AS unclaimed,
        if(left_quantity > 0, toDecimal128(toDecimal256(left_usd, 18) * reinterpret(unclaimed, 'Int256') / reinterpret(left_quantity, 'Int256'), 18), 0) AS unclaimed_usd
    FROM parts AS p
    LEFT ANY JOIN borne AS b ON concat('host:', p.host) = b.resource AND p.part = b.item
)
SELECT
    settlement,
    'compute' AS category,
    concat('host:', host) AS resource,
    host AS node,
    cluster,
    share.1 AS item,
    share.2 AS allocation,
    first_seen AS start_time,
    toDecimal128(share.3, 9) AS quantity,
    unit,
    share.4 AS amount_usd,
    rate_id AS price_id,
    splitByChar('@', toString(rate_id))[-1] AS price_version,
    'computed' AS basis,
    share.5 AS method
FROM told
ARRAY JOIN [
    (concat('idle ', part), 'idle', left_quantity - unclaimed, left_usd - unclaimed_usd, 'what no span claims of the machine'),
    (concat('unclaimed ', part), 'unattributed', unclaimed, unclaimed_usd, 'what its processes report beyond what their spans claim')
] AS share
WHERE share.4 != 0;

-- What did each machine cost in the window? What of its rate is for accelerators is the accelerators' cost.
INSERT INTO work_resources
SELECT
    settlement,
    'compute' AS category,
    concat('host:', host) AS resource,
    toDecimal128(toDecimal256(observed_ns, 9) / toInt256(1000000000), 9) AS quantity,
    's' AS unit,
    hosts_settled.amount_usd - accelerator_usd AS amount_usd,
    rate_id AS price_id,
    splitByChar('@', toString(rate_id))[-1] AS price_version,
    'computed' AS basis
FROM hosts_settled
WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != ''
