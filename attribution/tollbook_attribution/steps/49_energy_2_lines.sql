-- Which ledger lines does energy make? What requests took of it, and what of it is nobody's, by what the device did meanwhile.
-- Where there is: work_energy
INSERT INTO work_lines
SELECT
    {settlement:UInt64} AS settlement,
    e.trace_id AS trace_id,
    e.span_id AS span_id,
    s.start_time AS start_time,
    if(e.trace_id = toFixedString('', 16), 'unattributed', 'request') AS allocation,
    'energy' AS category,
    'electricity' AS item,
    concat('accelerator:', e.device) AS resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    e.joules AS quantity,
    'J' AS unit,
    amount_usd AS amount,
    'USD' AS currency,
    assumeNotNull(e.cost_usd) AS amount_usd,
    e.price_id AS price_id,
    e.price_version AS price_version,
    'computed' AS basis,
    'energy of the device at each instant, shared by the requests that held it' AS method,
    '' AS waste
FROM (
    SELECT device, trace_id, span_id, sum(joules) AS joules, sum(cost_usd) AS cost_usd, any(t.price_id) AS price_id, any(t.price_version) AS price_version
    FROM accelerator_energy_settled AS t
    WHERE t.tenant = {tenant:String} AND t.window = {window:DateTime('UTC')} AND t.settlement = {settlement:UInt64}
        AND t.state = 'active' AND isNotNull(t.cost_usd) AND NOT startsWith(device, 'cpu:')
    GROUP BY device, trace_id, span_id
) AS e
INNER JOIN (SELECT trace_id, span_id, start_time FROM work_spans WHERE settlement = {settlement:UInt64} AND accelerator_id != '') AS s
    ON e.trace_id = s.trace_id AND e.span_id = s.span_id;

INSERT INTO work_left
SELECT
    {settlement:UInt64} AS settlement,
    'energy' AS category,
    concat('accelerator:', e.device) AS resource,
    d.host AS node,
    d.cluster AS cluster,
    multiIf(
        e.state = 'loading', 'electricity while loading a model',
        e.state = 'waiting for data', 'electricity while waiting for data',
        e.state = 'no requests', 'electricity without requests',
        'electricity unallocated'
    ) AS item,
    'idle' AS allocation,
    fromUnixTimestamp64Nano(d.since_ns, 'UTC') AS start_time,
    e.joules AS quantity,
    'J' AS unit,
    e.cost_usd AS amount_usd,
    e.price_id AS price_id,
    e.price_version AS price_version,
    'computed' AS basis,
    'energy of the device while no request held it, by what it did meanwhile' AS method
FROM (
    SELECT
        device, toString(t.state) AS state, sum(joules) AS joules, sum(assumeNotNull(t.cost_usd)) AS cost_usd, any(t.price_id) AS price_id,
        any(t.price_version) AS price_version
    FROM accelerator_energy_settled AS t
    WHERE t.tenant = {tenant:String} AND t.window = {window:DateTime('UTC')} AND t.settlement = {settlement:UInt64}
        AND t.state != 'active' AND isNotNull(t.cost_usd) AND NOT startsWith(device, 'cpu:')
    GROUP BY device, state
) AS e
INNER JOIN (SELECT * FROM work_devices WHERE settlement = {settlement:UInt64}) AS d ON e.device = d.device
