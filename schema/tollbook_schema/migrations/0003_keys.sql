-- API keys as they were made and revoked. A fact as all others: nothing is overwritten, and a revoked key stays listed.

CREATE TABLE IF NOT EXISTS api_keys (
    key_id String,
    event Enum8('created' = 1, 'revoked' = 2),
    at DateTime64(6, 'UTC'),
    name String COMMENT 'what people call it',
    tenant LowCardinality(String) COMMENT 'whose data it sends or reads; empty where it is the operator''s',
    scopes Array(LowCardinality(String)) COMMENT 'ingest, read, admin',
    secret_sha256 String COMMENT 'in hex; the secret itself, 256 random bits, is nowhere',
    expires_at Nullable(DateTime('UTC'))
)
ENGINE = MergeTree
ORDER BY (key_id, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;
