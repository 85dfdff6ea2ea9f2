-- Which machines were seen, for how long, and what did they cost in that time?
-- A machine is observed from its first to its last fact in the window, spans and metrics alike. It costs its rate for that time: the
-- rates in force from its first fact on, each for its time, of its own region before one of every region. Without a rate its cost is unknown.
-- The rate says what of it is for CPUs, memory and accelerators. Of machines that were paid for ahead, each costs its time's share of that;
-- where there are more of them than were paid for, all of them that share, and the rate for the rest of their time.
-- Where there is: hosts
INSERT INTO hosts_settled
WITH seen AS (
    SELECT
        f.host AS host, max(f.host_name) AS host_name, max(f.host_type) AS host_type, max(f.region) AS region, max(f.cluster) AS cluster,
        min(f.first_seen) AS first_seen, least(max(f.last_seen), {until:DateTime64(9, 'UTC')}) AS last_seen
    FROM (
        SELECT
            s.host AS host, max(s.host_name) AS host_name, max(s.host_type) AS host_type, max(s.region) AS region,
            '' AS cluster, min(s.start_time) AS first_seen,
            max(fromUnixTimestamp64Nano(toUnixTimestamp64Nano(s.start_time) + s.duration_ns, 'UTC')) AS last_seen
        FROM work_spans AS s
        WHERE s.settlement = {settlement:UInt64} AND s.host != ''
        GROUP BY s.host
        UNION ALL
        SELECT
            if(m.host_id != '', m.host_id, m.host_name) AS host, max(m.host_name) AS host_name, max(m.host_type) AS host_type,
            max(JSONExtractString(m.resource, 'cloud.region')) AS region, max(JSONExtractString(m.resource, 'k8s.cluster.name')) AS cluster, min(m.time) AS first_seen, max(m.time) AS last_seen
        FROM metrics AS m
        WHERE m.tenant = {tenant:String} AND m.time >= {window:DateTime('UTC')} AND m.time < {until:DateTime64(9, 'UTC')} AND (m.host_id != '' OR m.host_name != '')
        GROUP BY host
        UNION ALL
        SELECT
            if(c.host_id != '', c.host_id, c.host_name) AS host, max(c.host_name) AS host_name, '' AS host_type, '' AS region,
            max(c.k8s_cluster_name) AS cluster, min(c.start_time) AS first_seen, min(c.start_time) AS last_seen
        FROM spans AS c
        WHERE c.tenant = {tenant:String} AND c.start_time >= {window:DateTime('UTC')} AND c.start_time < {until:DateTime64(9, 'UTC')}
            AND c.k8s_cluster_name != '' AND (c.host_id != '' OR c.host_name != '')
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
offered AS (
    SELECT
        seen.host AS host,
        toUnixTimestamp64Nano(any(seen.first_seen)) AS first_ns,
        toUnixTimestamp64Nano(any(seen.last_seen)) AS last_ns,
        arrayReverseSort(o -> o.1, groupArray((
            (r.region = seen.region, r.valid_from, r.set_at, r.rate_id),
            toInt64(toUnixTimestamp(r.valid_from)) * 1000000000,
            (
                r.rate_id, r.vcpus, r.memory_gib, r.usd_per_hour, r.memory_usd_per_hour, r.accelerator_usd_per_hour, r.accelerators, r.split
            )
        ))) AS offers,
        arrayDistinct(arraySort(arrayMap(o -> greatest(o.2, first_ns), offers))) AS begins,
        arrayMap(
            (at, until) -> (arrayFirst(o -> o.2 <= at, offers).3, toInt256(until - at)),
            begins, arrayPushBack(arrayPopFront(begins), last_ns)
        ) AS terms
    FROM seen
    INNER JOIN instance_rates AS r ON seen.host_type = r.instance_type
    WHERE (r.region = seen.region OR r.region = '') AND seen.host_type != ''
        AND (r.valid_from <= seen.first_seen OR r.valid_from < seen.last_seen)
    GROUP BY seen.host
    HAVING begins[1] = first_ns
),
rated AS (
    SELECT
        host,
        arrayDistinct(arrayMap(t -> toString(t.1.1), terms)) AS ids,
        terms[-1].1 AS newest,
        arraySum(arrayMap(t -> reinterpret(toDecimal256(t.1.4, 18), 'Int256') * t.2, terms)) AS usd_ns,
        arraySum(arrayMap(t -> reinterpret(toDecimal256(t.1.5, 18), 'Int256') * t.2, terms)) AS memory_usd_ns,
        arraySum(arrayMap(t -> reinterpret(toDecimal256(t.1.6, 18), 'Int256') * t.2, terms)) AS accelerator_usd_ns,
        if(
            length(ids) = 1, newest.4,
            toDecimal128(reinterpret(intDiv(usd_ns, toInt256(greatest(last_ns - first_ns, 1))), 'Decimal256(18)'), 18)
        ) AS usd_per_hour,
        arrayStringConcat(ids, '+') AS rate_id
    FROM offered
),
memory AS (
    SELECT
        host,
        sum(toInt256(bytes) * held_ns) AS used_byte_ns,
        sum(toInt256(bytes) * if(self_ns > 0, spans_ns, 0)) AS claimed_byte_ns
    FROM work_process_memory
    WHERE settlement = {settlement:UInt64}
    GROUP BY host
),
committed AS (
    SELECT
        covers, region, sum(w.amount_usd) AS usd, arrayStringConcat(arraySort(groupArray(toString(commitment_id))), '+') AS ids,
        greatest(toInt256(toDecimal256(sum(w.capacity), 9) * toInt256(3600000000000)), toInt256(1)) AS capacity_ns
    FROM work_commitments AS w
    WHERE w.settlement = {settlement:UInt64} AND w.unit = 'host_hour' AND w.capacity > 0
    GROUP BY covers, region
),
running AS (
    SELECT
        c.covers AS covers, c.region AS region, c.usd AS usd, c.ids AS ids, c.capacity_ns AS capacity_ns,
        toInt256(sum(toUnixTimestamp64Nano(seen.last_seen) - toUnixTimestamp64Nano(seen.first_seen))) AS used_ns,
        groupArray(seen.host) AS hosts
    FROM committed AS c
    INNER JOIN seen ON c.covers = seen.host_type
    INNER JOIN rated ON seen.host = rated.host
    WHERE c.region IN ('', seen.region)
    GROUP BY c.covers, c.region, c.usd, c.ids, c.capacity_ns
),
covered AS (
    SELECT arrayJoin(hosts) AS host, argMax((usd, ids, greatest(capacity_ns, used_ns), greatest(used_ns - capacity_ns, 0), greatest(used_ns, toInt256(1))), region) AS deal
    FROM running
    GROUP BY host
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    seen.host AS host,
    seen.host_name AS host_name,
    seen.host_type AS host_type,
    seen.region AS region,
    seen.cluster AS cluster,
    seen.first_seen AS first_seen,
    seen.last_seen AS last_seen,
    toUnixTimestamp64Nano(seen.last_seen) - toUnixTimestamp64Nano(seen.first_seen) AS observed_ns,
    if(rated.rate_id = '', NULL, rated.newest.2) AS vcpus,
    if(rated.rate_id = '', NULL, toInt64(toDecimal128(rated.newest.2, 3) * observed_ns)) AS capacity_ns,
    ifNull(claims.claimed_ns, 0) AS claimed_ns,
    rated.rate_id AS rate_id,
    if(rated.rate_id = '', NULL, rated.usd_per_hour) AS usd_per_hour,
    if(
        rated.rate_id = '', NULL,
        committed_usd + toDecimal128(
            reinterpret(rated.usd_ns, 'Decimal256(18)') * if(covered.host = '', toInt256(1), covered.deal.4)
                / if(covered.host = '', toInt256(1), covered.deal.5) / toInt256(3600000000000),
            18
        )
    ) AS amount_usd,
    amount_usd - memory_usd - accelerator_usd AS cpu_usd,
    if(
        rated.rate_id = '', NULL,
        toDecimal128(toDecimal256(assumeNotNull(amount_usd), 18) * rated.memory_usd_ns / greatest(rated.usd_ns, toInt256(1)), 18)
    ) AS memory_usd,
    if(
        rated.rate_id = '', NULL,
        toDecimal128(toDecimal256(assumeNotNull(amount_usd), 18) * rated.accelerator_usd_ns / greatest(rated.usd_ns, toInt256(1)), 18)
    ) AS accelerator_usd,
    rated.newest.7 AS accelerators,
    rated.newest.8 AS split,
    if(busy.host = '', NULL, toInt64(round(busy.busy_seconds * 1000000000))) AS busy_ns,
    if(rated.rate_id = '', NULL, rated.newest.3) AS memory_gib,
    if(memory.host = '', NULL, toDecimal128(toDecimal256(memory.used_byte_ns, 9) / toInt256(1073741824000000000), 9)) AS memory_used_gib_s,
    if(memory.host = '', NULL, toDecimal128(toDecimal256(memory.claimed_byte_ns, 9) / toInt256(1073741824000000000), 9)) AS memory_claimed_gib_s,
    toDecimal128(toDecimal256(covered.deal.1, 18) * toInt256(observed_ns) / greatest(covered.deal.3, toInt256(1)), 18) AS committed_usd,
    covered.deal.2 AS commitment
FROM seen
LEFT ANY JOIN claims ON seen.host = claims.host
LEFT ANY JOIN rated ON seen.host = rated.host
LEFT ANY JOIN (SELECT * FROM work_busy_cpus WHERE settlement = {settlement:UInt64}) AS busy ON seen.host = busy.host
LEFT ANY JOIN memory ON seen.host = memory.host
LEFT ANY JOIN covered ON seen.host = covered.host
