-- How much CPU time did the processes take that report to us, machine by machine?
-- What their cumulative process.cpu.time grew by; a counter that falls has begun again at zero; a counter that began within the window
-- counts from its beginning. A point told twice counts once; one that says it has no value (flag 1) is none.
-- Where there is: metrics
INSERT INTO work_busy_cpus
WITH readings AS (
    SELECT
        transform(
            if(host_id != '', host_id, if(JSONExtractString(resource, 'k8s.node.name') != '', JSONExtractString(resource, 'k8s.node.name'), host_name)),
            {host_names:Array(String)}, {host_ids:Array(String)}
        ) AS host,
        service_name,
        cityHash64(service_name, service_instance_id, ifNull(process_pid, -1), toString(attributes)) AS series,
        time,
        temporality,
        value,
        greatest(start_time, toDateTime64({window:DateTime('UTC')}, 9, 'UTC')) AS began,
        start_time >= {window:DateTime('UTC')} AS began_here
    FROM metrics
    WHERE tenant = {tenant:String} AND name = 'process.cpu.time' AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')} AND value >= 0
        AND bitAnd(flags, 1) = 0
    LIMIT 1 BY host, series, time
),
grown AS (
    SELECT
        host, service_name, time, began, began_here,
        row_number() OVER each AS place,
        lagInFrame(value) OVER each AS before,
        multiIf(
            temporality = 'delta', value,
            place = 1, if(began_here, value, 0),
            value >= before, value - before,
            value
        ) AS busy_s
    FROM readings
    WINDOW each AS (PARTITION BY host, series ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
cpus AS (
    SELECT
        transform(
            if(host_id != '', host_id, if(JSONExtractString(resource, 'k8s.node.name') != '', JSONExtractString(resource, 'k8s.node.name'), host_name)),
            {host_names:Array(String)}, {host_ids:Array(String)}
        ) AS host,
        max(value) AS logical
    FROM metrics
    WHERE tenant = {tenant:String} AND name = 'system.cpu.logical.count' AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
    GROUP BY host
),
used AS (
    SELECT
        host,
        if(uniqExact(service_name) = 1, any(service_name), '') AS service_name,
        count() AS samples,
        sum(busy_s) AS busy_seconds,
        (toUnixTimestamp64Nano(max(time)) - toUnixTimestamp64Nano(min(if(place = 1 AND began_here, began, time)))) / 1e9 AS observed_seconds
    FROM grown
    GROUP BY host
)
SELECT
    {settlement:UInt64} AS settlement, u.host AS host, u.service_name AS service_name, u.samples AS samples,
    u.busy_seconds AS busy_seconds, u.observed_seconds AS observed_seconds, ifNull(c.logical, 0) AS logical_cpus
FROM used AS u
LEFT ANY JOIN cpus AS c ON u.host = c.host;

-- How much memory did processes have that report it, for how long, and for how long of this did they work on something?
INSERT INTO work_process_memory
WITH sampled AS (
    SELECT
        cityHash64(service_name, service_instance_id, ifNull(process_pid, -1), host_id, host_name) AS process,
        transform(
            if(host_id != '', host_id, if(node != '', node, host_name)),
            {host_names:Array(String)}, {host_ids:Array(String)}
        ) AS host,
        toInt64(round(avg(value))) AS bytes,
        toUnixTimestamp64Nano(min(time)) AS since_ns,
        toUnixTimestamp64Nano(max(time)) AS until_ns
    FROM (
        SELECT DISTINCT service_name, service_instance_id, process_pid, host_id, host_name, JSONExtractString(resource, 'k8s.node.name') AS node, time, value
        FROM metrics
        WHERE tenant = {tenant:String} AND name = 'process.memory.usage' AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
            AND value >= 0 AND value < 1e15 AND bitAnd(flags, 1) = 0 AND (host_id != '' OR host_name != '' OR node != '')
    )
    GROUP BY process, host
),
worked AS (
    SELECT
        s.process AS process,
        min(toUnixTimestamp64Nano(s.start_time)) AS since_ns,
        least(max(toUnixTimestamp64Nano(s.start_time) + s.duration_ns), toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')})) AS until_ns,
        toInt64(intervalLengthSum(
            toUnixTimestamp64Nano(s.start_time),
            least(toUnixTimestamp64Nano(s.start_time) + s.duration_ns, toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}))
        )) AS spans_ns,
        sum(e.self_ns) AS self_ns
    FROM (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64} AND process IN (SELECT process FROM sampled)) AS s
    INNER JOIN (SELECT * FROM work_efforts WHERE settlement = {settlement:UInt64}) AS e ON s.trace_id = e.trace_id AND s.span_id = e.span_id
    GROUP BY s.process
)
SELECT
    {settlement:UInt64} AS settlement,
    m.process AS process,
    m.host AS host,
    m.bytes AS bytes,
    greatest(m.until_ns, w.until_ns) - if(w.since_ns = 0, m.since_ns, least(m.since_ns, w.since_ns)) AS held_ns,
    w.spans_ns AS spans_ns,
    w.self_ns AS self_ns
FROM sampled AS m
LEFT ANY JOIN worked AS w ON m.process = w.process
