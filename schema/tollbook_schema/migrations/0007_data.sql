-- Facts that come as files: calls of usage exports, and stored data that is declared.

-- Rows of a file of usage while it is read, until all of them are known to be good.
CREATE TABLE IF NOT EXISTS usage_staged (
    import_id UInt64,
    row UInt64 COMMENT 'from 1 on',
    fields Map(LowCardinality(String), String) COMMENT 'what the row says of a call, as text',
    start_ns Nullable(Int64) COMMENT 'NULL where the time cannot be read',
    end_ns Nullable(Int64)
)
ENGINE = MergeTree
PARTITION BY import_id
ORDER BY row;

-- Files of usage that were imported.
CREATE TABLE IF NOT EXISTS usage_imports (
    tenant LowCardinality(String),
    import_id UInt64,
    imported_at DateTime64(3, 'UTC'),
    file String,
    digest String COMMENT 'SHA-256 of its bytes',
    columns Map(String, String) COMMENT 'the column of each thing that was taken',
    constants Map(String, String) COMMENT 'what held for every row',
    times String COMMENT 'how its times were read',
    rows UInt64,
    new_calls UInt64 COMMENT 'rows that told of calls not known before',
    first_call DateTime64(9, 'UTC'),
    last_call DateTime64(9, 'UTC')
)
ENGINE = MergeTree
ORDER BY (tenant, imported_at);
