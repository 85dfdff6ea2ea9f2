-- Of which parts of which machines do meters tell, how many CPUs have these, and how much energy did each part take?
-- What tells of all of a machine tells of its accelerators too: what their own meters tell of is left out here. A meter that knows its machine by
-- name only is of the one machine of that name.
-- Where there is: work_energy
INSERT INTO work_machine_parts
WITH parts AS (
    SELECT device, max(host) AS machine, max(upto_nj) AS nj, max(e.site) AS site, max(e.region) AS region
    FROM work_energy AS e
    WHERE e.settlement = {settlement:UInt64} AND startsWith(device, 'cpu:')
    GROUP BY device
),
machines AS (
    SELECT host, host_name, cluster, toFloat64(ifNull(vcpus, 0)) AS rated_cpus, rate_id FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
),
named AS (
    SELECT host_name, any(m.host) AS only_host FROM machines AS m WHERE m.host_name NOT IN ('', m.host) GROUP BY host_name HAVING count() = 1
),
placed AS (
    SELECT p.device AS device, p.machine AS machine, if(n.only_host = '', p.machine, n.only_host) AS host, p.nj AS nj, p.site AS site, p.region AS region
    FROM parts AS p
    LEFT ANY JOIN named AS n ON p.machine = n.host_name
),
counted AS (
    SELECT
        transform(
            if(host_id != '', host_id, if(JSONExtractString(resource, 'k8s.node.name') != '', JSONExtractString(resource, 'k8s.node.name'), host_name)),
            {host_names:Array(String)}, {host_ids:Array(String)}
        ) AS host,
        max(value) AS logical_cpus FROM metrics
    WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')} AND name = 'system.cpu.logical.count'
    GROUP BY host
),
accelerators AS (
    SELECT machine, sum(taken.nj) AS nj
    FROM (
        SELECT device, max(host) AS machine, max(upto_nj) AS nj FROM work_energy
        WHERE settlement = {settlement:UInt64} AND NOT startsWith(device, 'cpu:')
        GROUP BY device
    ) AS taken
    GROUP BY machine
)
SELECT
    {settlement:UInt64} AS settlement,
    p.device AS device,
    p.host AS host,
    m.cluster AS cluster,
    p.site AS site,
    p.region AS region,
    m.rate_id != '' AS rated,
    toDecimal64(if(m.rated_cpus > 0, m.rated_cpus, c.logical_cpus), 3) AS cpus,
    p.nj AS axis_nj,
    if(endsWith(p.device, '\tmachine'), greatest(p.nj - a.nj, 0), p.nj) AS nj
FROM placed AS p
LEFT ANY JOIN machines AS m ON p.host = m.host
LEFT ANY JOIN counted AS c ON p.host = c.host
LEFT ANY JOIN accelerators AS a ON p.machine = a.machine
