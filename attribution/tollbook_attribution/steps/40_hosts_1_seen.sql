-- Which machines were seen, from when to when, of which type, and how were they bought?
-- A machine is observed from its first to its last fact in the window, spans and metrics alike. One that is of another type later on is of each
-- for its time, from the first fact that says so on; where facts contradict each other all the time, the last type by name.
-- Samples that come in regularly, at least three and ten minutes apart at most, stand for the time up to the hour's border where that is no more than one and
-- a half usual intervals away, as readings of meters do: so hours add up. A machine that stopped before that is seen until its last one.
-- How it was bought is asked only where a rate depends on it: tollbook.host.purchase, or the labels that clouds and Karpenter give nodes.
-- Where there is: hosts
INSERT INTO work_seen_hosts
WITH toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS opens,
ran_on AS (
    SELECT toString(s.host) AS host, h.resource AS resource, s.start_time AS at
    FROM (SELECT trace_id, span_id, host, start_time FROM work_spans WHERE settlement = {long:UInt64} AND host != '') AS s
    INNER JOIN (SELECT trace_id, span_id, resource FROM work_long_hosts WHERE settlement = {settlement:UInt64}) AS h
        ON s.trace_id = h.trace_id AND s.span_id = h.span_id
),
sampled AS (
    SELECT
        transform(
            if(m.host_id != '', m.host_id, if(JSONExtractString(m.resource, 'k8s.node.name') != '', JSONExtractString(m.resource, 'k8s.node.name'), m.host_name)),
            {host_names:Array(String)}, {host_ids:Array(String)}
        ) AS host,
        m.host_type AS host_type,
        cityHash64(m.name, m.service_name, m.service_instance_id, ifNull(m.process_pid, -1), mapKeys(m.attributes), mapValues(m.attributes)) AS series,
        max(if(JSONHas(m.resource, 'k8s.node.name'), JSONExtractString(m.resource, 'k8s.node.name'), m.host_name)) AS host_name,
        max(JSONExtractString(m.resource, 'cloud.region')) AS region, max(JSONExtractString(m.resource, 'k8s.cluster.name')) AS cluster,
        min(m.time) AS since, max(m.time) AS upto,
        intDiv(toUnixTimestamp64Nano(upto) - toUnixTimestamp64Nano(since), greatest(toInt64(uniqExact(m.time)) - 1, 1)) AS mean_ns,
        if(uniqExact(m.time) >= 3 AND mean_ns <= 600000000000, mean_ns, 0) AS usual_ns
    FROM metrics AS m
    WHERE m.tenant = {tenant:String} AND m.time >= {window:DateTime('UTC')} AND m.time < {until:DateTime64(9, 'UTC')} AND host != ''
    GROUP BY host, m.host_type, series
),
facts AS (
    SELECT
        s.host AS host, max(s.host_name) AS host_name, s.host_type AS host_type, max(s.region) AS region, '' AS cluster, '' AS purchase,
        min(s.start_time) AS first_seen, max(fromUnixTimestamp64Nano(toUnixTimestamp64Nano(s.start_time) + s.duration_ns, 'UTC')) AS last_seen
    FROM work_spans AS s
    WHERE s.settlement = {settlement:UInt64} AND s.host != ''
    GROUP BY s.host, s.host_type
    UNION ALL
    SELECT
        d.host AS host, max(d.host_name) AS host_name, d.host_type AS host_type, max(d.region) AS region, max(d.cluster) AS cluster, '' AS purchase,
        if(countIf(d.usual_ns > 0) > 0 AND minIf(d.since, d.usual_ns > 0) <= opens + toIntervalNanosecond(
            intDiv(argMinIf(d.usual_ns, (d.since, d.usual_ns), d.usual_ns > 0) * 3, 2)
        ), opens, min(d.since)) AS first_seen,
        if(countIf(d.usual_ns > 0) > 0 AND maxIf(d.upto, d.usual_ns > 0) >= {until:DateTime64(9, 'UTC')} - toIntervalNanosecond(
            intDiv(argMaxIf(d.usual_ns, (d.upto, -d.usual_ns), d.usual_ns > 0) * 3, 2)
        ), {until:DateTime64(9, 'UTC')}, max(d.upto)) AS last_seen
    FROM sampled AS d
    GROUP BY d.host, d.host_type
    UNION ALL
    SELECT
        transform(
            if(c.host_id != '', c.host_id, if(c.k8s_node_name != '', c.k8s_node_name, c.host_name)),
            {host_names:Array(String)}, {host_ids:Array(String)}
        ) AS host,
        max(if(c.k8s_node_name != '', c.k8s_node_name, c.host_name)) AS host_name, '' AS host_type, '' AS region,
        max(c.k8s_cluster_name) AS cluster, '' AS purchase, min(c.start_time) AS first_seen, min(c.start_time) AS last_seen
    FROM spans AS c
    WHERE c.tenant = {tenant:String} AND c.start_time >= {window:DateTime('UTC')} AND c.start_time < {until:DateTime64(9, 'UTC')}
        AND c.k8s_cluster_name != '' AND host != ''
    GROUP BY host
    UNION ALL
    SELECT
        l.host AS host, '' AS host_name, '' AS host_type, '' AS region, max(JSONExtractString(l.resource, 'k8s.cluster.name')) AS cluster, '' AS purchase,
        min(l.at) AS first_seen, min(l.at) AS last_seen
    FROM ran_on AS l
    GROUP BY host
    UNION ALL
    SELECT
        r.host AS host, '' AS host_name, '' AS host_type, '' AS region, '' AS cluster,
        max(transform(
            replaceRegexpAll(lower(arrayFirst(told -> told != '', [
                JSONExtractString(r.resource, 'tollbook.host.purchase'), JSONExtractString(r.resource, 'k8s.node.label.karpenter.sh/capacity-type'),
                JSONExtractString(r.resource, 'k8s.node.label.eks.amazonaws.com/capacityType'),
                JSONExtractString(r.resource, 'k8s.node.label.kubernetes.azure.com/scalesetpriority'),
                if(JSONExtractString(r.resource, 'k8s.node.label.cloud.google.com/gke-spot') = 'true', 'spot', ''),
                if(JSONExtractString(r.resource, 'k8s.node.label.cloud.google.com/gke-preemptible') = 'true', 'spot', ''),
                JSONExtractString(r.resource, 'k8s.node.label.node.kubernetes.io/lifecycle')
            ])), '[^a-z]', ''),
            ['spot', 'preemptible', 'lowpriority', 'ondemand', 'normal', 'regular', 'reserved', 'capacityblock'],
            ['spot', 'spot', 'spot', 'on_demand', 'on_demand', 'on_demand', 'reserved', 'reserved'], ''
        )) AS purchase,
        min(r.at) AS first_seen, min(r.at) AS last_seen
    FROM (
        SELECT
            transform(
                if(host_id != '', host_id, if(k8s_node_name != '', k8s_node_name, host_name)),
                {host_names:Array(String)}, {host_ids:Array(String)}
            ) AS host,
            toString(resource) AS resource, min(start_time) AS at
        FROM spans
        WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
            AND host != '' AND (SELECT count() FROM instance_rates WHERE purchase != '') > 0
        GROUP BY host, resource
        UNION ALL
        SELECT
            transform(
                if(host_id != '', host_id, if(JSONExtractString(resource, 'k8s.node.name') != '', JSONExtractString(resource, 'k8s.node.name'), host_name)),
                {host_names:Array(String)}, {host_ids:Array(String)}
            ) AS host,
            toString(resource) AS resource, min(time) AS at
        FROM metrics
        WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
            AND host != '' AND (SELECT count() FROM instance_rates WHERE purchase != '') > 0
        GROUP BY host, resource
        UNION ALL
        SELECT host, resource, at FROM ran_on
    ) AS r
    GROUP BY host
),
typed AS (
    SELECT host, arraySort(groupArray((since_ns, upto_ns, toString(host_type)))) AS spells
    FROM (
        SELECT host, host_type, min(toUnixTimestamp64Nano(first_seen)) AS since_ns, max(toUnixTimestamp64Nano(last_seen)) AS upto_ns
        FROM facts
        WHERE host_type != ''
        GROUP BY host, host_type
    )
    GROUP BY host
)
SELECT
    {settlement:UInt64} AS settlement,
    f.host AS host,
    f.name AS host_name,
    f.place AS region,
    f.in_cluster AS cluster,
    f.bought AS purchase,
    f.opened AS first_seen,
    f.closed AS last_seen,
    multiIf(
        empty(t.spells), [],
        length(t.spells) > 1 AND arrayAll((one, next) -> one.2 <= next.1, arrayPopBack(t.spells), arrayPopFront(t.spells)),
        arrayMap((one, place) -> (if(place = 1, toUnixTimestamp64Nano(f.opened), one.1), one.3), t.spells, arrayEnumerate(t.spells)),
        [(toUnixTimestamp64Nano(f.opened), arrayMax(one -> one.3, t.spells))]
    ) AS kinds
FROM (
    SELECT
        host, max(facts.host_name) AS name, max(facts.region) AS place, max(facts.cluster) AS in_cluster, max(facts.purchase) AS bought,
        min(facts.first_seen) AS opened, least(max(facts.last_seen), {until:DateTime64(9, 'UTC')}) AS closed
    FROM facts
    GROUP BY host
) AS f
LEFT ANY JOIN typed AS t ON f.host = t.host
