-- What each settlement saw of the hours beside its own: calls that go over the edge are told of on both sides.
CREATE TABLE IF NOT EXISTS edges_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64 COMMENT 'that took these spans in, or that only looked whether there are others now',
    digest UInt64 COMMENT 'of all spans taken in from the hours beside',
    facts_before UInt64 COMMENT 'rows counted in the hour before',
    facts_after UInt64 COMMENT 'rows counted in the hour after',
    looked_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement);
