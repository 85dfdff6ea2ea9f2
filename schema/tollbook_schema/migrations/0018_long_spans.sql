-- Spans that go on past the hour they began in, once for each later hour that they ran in: an hour finds here what ran in it from before, without a look
-- at all hours before it. They are counted as facts of these hours too, so that an hour is settled again when such a span comes in.
-- Seven days are as long as a span may be for this: an end in the year 2262 is a wrong clock, and would have every hour until then settled. Spans on no machine
-- and no accelerator use nothing that a later hour shares out.
CREATE TABLE IF NOT EXISTS long_spans (
    window DateTime('UTC') COMMENT 'a later hour that the span ran in',
    tenant LowCardinality(String),
    trace_id FixedString(16),
    span_id FixedString(8),
    began DateTime('UTC') COMMENT 'the hour that it began in',
    accelerator Bool COMMENT 'whether it names one',
    received_at DateTime('UTC') COMMENT 'as in spans, so that both are kept as long'
)
ENGINE = MergeTree
PARTITION BY toDate(received_at)
ORDER BY (window, tenant)
SETTINGS non_replicated_deduplication_window = 10000, ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1;

CREATE MATERIALIZED VIEW IF NOT EXISTS fact_hours_of_long_spans TO fact_hours AS
SELECT
    tenant,
    window,
    CAST('spans', 'Enum8(\'spans\' = 1, \'metrics\' = 2, \'bills\' = 3, \'logs\' = 4)') AS signal,
    count() AS facts
FROM long_spans
GROUP BY tenant, window
