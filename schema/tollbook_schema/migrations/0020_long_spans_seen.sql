-- What each settlement saw of the hours that spans began in which ran on into its own: owners and parents of these spans may come in later.
CREATE TABLE IF NOT EXISTS long_spans_settled (
    window DateTime('UTC'),
    tenant LowCardinality(String),
    settlement UInt64 COMMENT 'that took these spans in, or that only looked whether there are others now',
    digest UInt64 COMMENT 'of all spans of their traces in these hours',
    hours Array(DateTime('UTC')) COMMENT 'that they began in',
    facts UInt64 COMMENT 'rows counted in these hours',
    looked_at DateTime64(6, 'UTC')
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(window)
ORDER BY (tenant, window, settlement);

ALTER TABLE machine_coverage_settled
    ADD COLUMN IF NOT EXISTS spans_too_long UInt64 COMMENT 'longer than seven days: they bear machines in their first hour alone';

CREATE OR REPLACE VIEW machine_coverage AS
SELECT * FROM machine_coverage_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements)
