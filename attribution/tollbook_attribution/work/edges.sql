-- Which calls are told of on both sides of an edge of the hour that is settled?
CREATE TABLE IF NOT EXISTS work_beside_facts (
    settlement UInt64,
    before UInt64 COMMENT 'rows counted in the hour before, when it was looked at',
    after UInt64
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY settlement;

CREATE TABLE IF NOT EXISTS work_beside (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    answer UInt64 COMMENT 'of its response id; 0 for none',
    is_here Bool COMMENT 'began in the hour that is settled',
    is_call Bool COMMENT 'may tell of a call',
    digest UInt64 COMMENT 'of what it tells',
    process UInt64 COMMENT 'that began it within a second of an edge, without a parent; 0 for all others',
    teller UInt64 COMMENT 'its scope'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

ALTER TABLE work_beside
    ADD COLUMN IF NOT EXISTS process UInt64 COMMENT 'that began it within a second of an edge, without a parent; 0 for all others',
    ADD COLUMN IF NOT EXISTS teller UInt64 COMMENT 'its scope';

CREATE TABLE IF NOT EXISTS work_edges (
    settlement UInt64,
    trace_id FixedString(16) COMMENT 'of calls on both sides'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY trace_id;
