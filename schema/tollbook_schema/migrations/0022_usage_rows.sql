-- Rows of a file of usage lie so that calls which may be the same one lie together: a file of any length is stored in pieces.

-- Rows of a file of usage while it is read, until all of them are known to be good.
CREATE TABLE IF NOT EXISTS usage_rows (
    import_id UInt64,
    row UInt64 COMMENT 'from 1 on',
    fields Map(LowCardinality(String), String) COMMENT 'what the row says of a call, as text',
    start_ns Nullable(Int64) COMMENT 'NULL where the time cannot be read',
    end_ns Nullable(Int64),
    bucket UInt16 MATERIALIZED cityHash64(multiIf(
        fields['#call'] != '', fields['#call'],
        fields['request_id'] != '', fields['request_id'],
        toString((start_ns, end_ns, fields['input_tokens'], fields['output_tokens'], fields['model'], fields['user']))
    )) COMMENT 'the same one for rows that tell of the same call'
)
ENGINE = MergeTree
PARTITION BY import_id
ORDER BY (bucket, row);

DROP TABLE IF EXISTS usage_staged;

DROP TABLE IF EXISTS usage_staged_local
