-- What of the devices' cost is no request's? Every state but 'active', and what of 'active' is of no span that is stored.
-- Where there is: work_held_spans, work_device_samples, work_energy
INSERT INTO work_left
SELECT
    {settlement:UInt64} AS settlement,
    'accelerator' AS category,
    concat('accelerator:', d.device) AS resource,
    d.host AS node,
    d.cluster AS cluster,
    multiIf(
        s.state = 'unclaimed', 'accelerator busy, claimed by no span',
        s.state = 'loading', 'accelerator loading a model',
        s.state = 'waiting for data', 'accelerator waiting for data',
        s.state = 'no requests', 'accelerator without requests',
        'accelerator unallocated'
    ) AS item,
    if(s.state = 'unclaimed', 'unattributed', 'idle') AS allocation,
    fromUnixTimestamp64Nano(d.since_ns, 'UTC') AS start_time,
    s.device_seconds AS quantity,
    's' AS unit,
    s.cost_usd AS amount_usd,
    d.price_id AS price_id,
    d.price_version AS price_version,
    'computed' AS basis,
    'what no request has of the device, by what it did meanwhile' AS method
FROM (
    SELECT t.device AS device, toString(t.state) AS state, sum(t.device_seconds) AS device_seconds, sum(assumeNotNull(t.cost_usd)) AS cost_usd
    FROM accelerator_states_settled AS t
    WHERE t.tenant = {tenant:String} AND t.window = {window:DateTime('UTC')} AND t.settlement = {settlement:UInt64}
        AND t.state != 'active' AND isNotNull(t.cost_usd)
    GROUP BY t.device, t.state
) AS s
INNER JOIN (SELECT * FROM work_devices WHERE settlement = {settlement:UInt64}) AS d ON s.device = d.device;

-- What did each device cost in the window?
INSERT INTO work_resources
SELECT
    settlement,
    'accelerator' AS category,
    concat('accelerator:', device) AS resource,
    toDecimal128(reinterpret(
        intDiv(toInt256(until_ns - since_ns) * toInt256(least(whole, 28000000000000000)), toInt256(28000000000000000)), 'Decimal256(9)'
    ), 9) AS quantity,
    's' AS unit,
    assumeNotNull(work_devices.amount_usd) AS amount_usd,
    price_id,
    price_version,
    'computed' AS basis
FROM work_devices
WHERE settlement = {settlement:UInt64} AND isNotNull(work_devices.amount_usd) AND until_ns > since_ns
