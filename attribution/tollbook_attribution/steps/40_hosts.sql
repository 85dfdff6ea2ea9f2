-- Which machines were seen, for how long, and what did they cost in that time?
-- A machine is observed from its first to its last fact in the window, spans and metrics alike. It costs its rate for that time: the
-- rate in force at its first fact, of its own region before one of every region. Without a rate its cost is unknown.
INSERT INTO hosts_settled
WITH seen AS (
    SELECT
        f.host AS host, max(f.host_name) AS host_name, max(f.host_type) AS host_type, max(f.region) AS region,
        min(f.first_seen) AS first_seen, least(max(f.last_seen), {until:DateTime64(9, 'UTC')}) AS last_seen
    FROM (
        SELECT
            s.host AS host, max(s.host_name) AS host_name, max(s.host_type) AS host_type, max(s.region) AS region,
            min(s.start_time) AS first_seen,
            max(fromUnixTimestamp64Nano(toUnixTimestamp64Nano(s.start_time) + s.duration_ns, 'UTC')) AS last_seen
        FROM work_spans AS s
        WHERE s.settlement = {settlement:UInt64} AND s.host != ''
        GROUP BY s.host
        UNION ALL
        SELECT
            if(m.host_id != '', m.host_id, m.host_name) AS host, max(m.host_name) AS host_name, max(m.host_type) AS host_type,
            '' AS region, min(m.time) AS first_seen, max(m.time) AS last_seen
        FROM metrics AS m
        WHERE m.tenant = {tenant:String} AND m.time >= {window:DateTime('UTC')} AND m.time < {until:DateTime64(9, 'UTC')} AND (m.host_id != '' OR m.host_name != '')
        GROUP BY host
    ) AS f
    GROUP BY f.host
),
claims AS (
    SELECT s.host AS host, sum(e.claim_ns) AS claimed_ns
    FROM work_efforts AS e
    INNER JOIN work_spans AS s ON e.trace_id = s.trace_id AND e.span_id = s.span_id
    WHERE e.settlement = {settlement:UInt64} AND s.settlement = {settlement:UInt64} AND e.claim_ns > 0
    GROUP BY s.host
),
rated AS (
    SELECT
        seen.host AS host,
        argMax((rate_id, vcpus, usd_per_hour), (r.region = seen.region, valid_from, set_at)) AS rate
    FROM seen
    INNER JOIN instance_rates AS r ON seen.host_type = r.instance_type
    WHERE (r.region = seen.region OR r.region = '') AND r.valid_from <= seen.first_seen AND seen.host_type != ''
    GROUP BY seen.host
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    seen.host AS host,
    seen.host_name AS host_name,
    seen.host_type AS host_type,
    seen.region AS region,
    seen.first_seen AS first_seen,
    seen.last_seen AS last_seen,
    toUnixTimestamp64Nano(seen.last_seen) - toUnixTimestamp64Nano(seen.first_seen) AS observed_ns,
    if(rated.rate.1 = '', NULL, rated.rate.2) AS vcpus,
    if(rated.rate.1 = '', NULL, toInt64(toDecimal128(rated.rate.2, 3) * observed_ns)) AS capacity_ns,
    ifNull(claims.claimed_ns, 0) AS claimed_ns,
    rated.rate.1 AS rate_id,
    if(rated.rate.1 = '', NULL, rated.rate.3) AS usd_per_hour,
    if(
        rated.rate.1 = '', NULL,
        toDecimal128(toDecimal256(rated.rate.3, 18) * toInt256(observed_ns) / toInt256(3600000000000), 18)
    ) AS amount_usd
FROM seen
LEFT ANY JOIN claims ON seen.host = claims.host
LEFT ANY JOIN rated ON seen.host = rated.host
