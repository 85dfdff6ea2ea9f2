-- What did the energy of each device and machine cost, whoever bears it?
-- Where there is: work_energy, work_machine_parts
INSERT INTO work_resources
SELECT
    {settlement:UInt64} AS settlement,
    'energy' AS category,
    if(startsWith(t.device, 'cpu:'), concat('host:', t.host), concat('accelerator:', t.device)) AS resource,
    sum(t.joules) AS quantity,
    'J' AS unit,
    sum(assumeNotNull(t.cost_usd)) AS amount_usd,
    any(t.price_id) AS price_id,
    any(t.price_version) AS price_version,
    'computed' AS basis
FROM accelerator_energy_settled AS t
WHERE t.tenant = {tenant:String} AND t.window = {window:DateTime('UTC')} AND t.settlement = {settlement:UInt64} AND isNotNull(t.cost_usd)
GROUP BY resource
