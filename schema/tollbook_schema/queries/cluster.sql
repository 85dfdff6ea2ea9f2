-- How many shards and replicas has the cluster, which shard does this server hold (0 for none), and does a Keeper keep replicas alike?
SELECT
    max(shard_num) AS shards,
    max(replica_num) AS replicas,
    maxIf(shard_num, is_local) AS own_shard,
    (SELECT count() FROM system.tables WHERE database = 'system' AND name = 'zookeeper') > 0 AS keeper
FROM system.clusters
WHERE cluster = {name:String}
HAVING shards > 0
