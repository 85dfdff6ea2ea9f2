-- What do the facts of an hour tell of their machines, spans and metrics alike?
SELECT DISTINCT host_id, host_name, k8s_node_name AS node, cloud_region AS region, k8s_cluster_name AS cluster
FROM spans
WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
UNION DISTINCT
SELECT DISTINCT
    host_id, host_name, JSONExtractString(resource, 'k8s.node.name') AS node, JSONExtractString(resource, 'cloud.region') AS region,
    JSONExtractString(resource, 'k8s.cluster.name') AS cluster
FROM metrics
WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
