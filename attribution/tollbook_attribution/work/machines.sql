-- What is known of machines before their cost is shared: CPU time and memory of the processes that report them.
CREATE TABLE IF NOT EXISTS work_busy_cpus (
    settlement UInt64,
    host LowCardinality(String),
    service_name LowCardinality(String) COMMENT 'empty where several services report',
    samples UInt64,
    busy_seconds Float64,
    observed_seconds Float64,
    logical_cpus Float64 COMMENT '0 where nobody counts them'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY host;

CREATE TABLE IF NOT EXISTS work_process_memory (
    settlement UInt64,
    process UInt64,
    host LowCardinality(String),
    bytes Int64 COMMENT 'mean of its samples',
    held_ns Int64 COMMENT 'from the first to the last fact of the process',
    spans_ns Int64 COMMENT 'of these, with at least one span in progress',
    self_ns Int64 COMMENT 'wall time of its spans without their children, added up'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY process;
