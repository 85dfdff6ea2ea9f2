-- Which ledger lines does the energy of machines make? What requests took of it, and what of it is nobody's.
-- Where there is: work_machine_parts
INSERT INTO work_lines
SELECT
    {settlement:UInt64} AS settlement,
    e.trace_id AS trace_id,
    e.span_id AS span_id,
    s.start_time AS start_time,
    'request' AS allocation,
    'energy' AS category,
    'electricity' AS item,
    concat('host:', e.machine) AS resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    e.all_joules AS quantity,
    'J' AS unit,
    e.usd AS amount,
    'USD' AS currency,
    e.usd AS amount_usd,
    e.price_id AS price_id,
    e.price_version AS price_version,
    if(r.rough, 'estimated', 'computed') AS basis,
    if(
        r.rough, 'energy of the machine while it ran, by wall time without children or without the number of CPUs',
        'energy of the machine while it ran, by the share of its CPUs'
    ) AS method,
    '' AS waste
FROM (
    SELECT
        host AS machine, trace_id, span_id, sum(joules) AS all_joules, sum(assumeNotNull(cost_usd)) AS usd, any(t.price_id) AS price_id,
        any(t.price_version) AS price_version
    FROM accelerator_energy_settled AS t
    WHERE t.tenant = {tenant:String} AND t.window = {window:DateTime('UTC')} AND t.settlement = {settlement:UInt64}
        AND startsWith(device, 'cpu:') AND t.state = 'active' AND isNotNull(t.cost_usd)
    GROUP BY machine, trace_id, span_id
) AS e
INNER JOIN (SELECT trace_id, span_id, start_time FROM work_spans WHERE settlement = {settlement:UInt64} AND host != '') AS s
    ON e.trace_id = s.trace_id AND e.span_id = s.span_id
LEFT ANY JOIN (
    SELECT trace_id, span_id, max(w.estimated) AS rough FROM work_machine_shares AS w WHERE w.settlement = {settlement:UInt64} GROUP BY trace_id, span_id
) AS r ON e.trace_id = r.trace_id AND e.span_id = r.span_id;

INSERT INTO work_left
SELECT
    {settlement:UInt64} AS settlement,
    'energy' AS category,
    concat('host:', t.host) AS resource,
    t.host AS node,
    any(m.cluster) AS cluster,
    'idle electricity' AS item,
    'idle' AS allocation,
    toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
    sum(t.joules) AS quantity,
    'J' AS unit,
    sum(assumeNotNull(t.cost_usd)) AS amount_usd,
    any(t.price_id) AS price_id,
    any(t.price_version) AS price_version,
    'computed' AS basis,
    'what no span claims of the energy of the machine' AS method
FROM accelerator_energy_settled AS t
LEFT ANY JOIN (SELECT host, cluster FROM work_machine_parts WHERE settlement = {settlement:UInt64}) AS m ON t.host = m.host
WHERE t.tenant = {tenant:String} AND t.window = {window:DateTime('UTC')} AND t.settlement = {settlement:UInt64}
    AND startsWith(t.device, 'cpu:') AND t.state != 'active' AND isNotNull(t.cost_usd)
GROUP BY t.host
