-- Which spans ran in the hour that is settled and began before it?
CREATE TABLE IF NOT EXISTS work_long_spans (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    began DateTime('UTC') COMMENT 'the hour that it began in',
    hours_ago UInt32,
    facts UInt64 COMMENT 'rows counted in that hour'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

ALTER TABLE work_long_spans ADD COLUMN IF NOT EXISTS facts UInt64 COMMENT 'rows counted in that hour';

-- What their resources say of the machines that they ran on.
CREATE TABLE IF NOT EXISTS work_long_hosts (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    resource String COMMENT 'as JSON'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id)
