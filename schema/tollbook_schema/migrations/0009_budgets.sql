-- Budgets as they were set, what was told of them, and how good people or judges found answers. Facts: nothing is overwritten.

-- What may be spent on what, and who answers for it. The newest row of a name is in force.
CREATE TABLE IF NOT EXISTS budgets_set (
    tenant LowCardinality(String),
    budget String COMMENT 'its name',
    event Enum8('set' = 1, 'deleted' = 2),
    at DateTime64(6, 'UTC'),
    parent String COMMENT 'name of the budget it is part of; empty at the top',
    owner String COMMENT 'the one person or team that answers for it; empty where its parent''s owner does',
    amount_usd Decimal(38, 18),
    period LowCardinality(String) COMMENT 'day, week, month, quarter or year',
    conditions Array(String) COMMENT 'KEY=VALUE: what of its parent it pays for; a key given twice may have either value; all of it where there is none',
    warn_ratio Decimal(9, 4) COMMENT 'share of the amount from which on it says so'
)
ENGINE = MergeTree
ORDER BY (tenant, budget, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

CREATE VIEW IF NOT EXISTS budgets AS
SELECT tenant, budget, at, parent, owner, amount_usd, period, conditions, warn_ratio
FROM (SELECT * FROM budgets_set ORDER BY tenant, budget, at DESC LIMIT 1 BY tenant, budget)
WHERE event = 'set';

-- What was told of a budget, so that the same is not told twice in a period.
CREATE TABLE IF NOT EXISTS budget_alerts (
    tenant LowCardinality(String),
    budget String,
    period_start DateTime('UTC'),
    state LowCardinality(String) COMMENT 'warned, forecast or over',
    at DateTime64(6, 'UTC'),
    amount_usd Decimal(38, 18),
    spent_usd Decimal(38, 18),
    forecast_usd Nullable(Decimal(38, 18)),
    message String,
    told LowCardinality(String) COMMENT 'log, or webhook where it took the message'
)
ENGINE = MergeTree
ORDER BY (tenant, budget, period_start, at)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- How good an answer was: from gen_ai.evaluation.result events, and as given by hand.
CREATE TABLE IF NOT EXISTS scores_told (
    tenant LowCardinality(String),
    trace_id FixedString(16),
    span_id FixedString(8),
    name LowCardinality(String) COMMENT 'what was judged, such as relevance',
    at DateTime64(9, 'UTC'),
    value Nullable(Float64),
    label LowCardinality(String),
    source LowCardinality(String) COMMENT 'event, or who gave it'
)
ENGINE = MergeTree
PARTITION BY toYYYYMM(at)
ORDER BY (tenant, trace_id, span_id, name, at)
SETTINGS non_replicated_deduplication_window = 10000;

CREATE MATERIALIZED VIEW IF NOT EXISTS scores_told_by_logs TO scores_told AS
SELECT
    tenant,
    toFixedString(trace_id, 16) AS trace_id,
    toFixedString(if(length(span_id) = 8, span_id, ''), 8) AS span_id,
    attributes['gen_ai.evaluation.name'] AS name,
    toDateTime64(time, 9, 'UTC') AS at,
    toFloat64OrNull(attributes['gen_ai.evaluation.score.value']) AS value,
    attributes['gen_ai.evaluation.score.label'] AS label,
    'event' AS source
FROM logs
WHERE (event_name = 'gen_ai.evaluation.result' OR attributes['event.name'] = 'gen_ai.evaluation.result') AND length(trace_id) = 16;

-- The newest of each name counts. A label decides where it is a word for good or bad; else the value does, from one half on.
CREATE VIEW IF NOT EXISTS scores AS
SELECT
    tenant, trace_id, span_id, name, at, value, label, source,
    multiIf(
        lower(label) IN (
            'good', 'pass', 'passed', 'correct', 'accepted', 'accept', 'yes', 'true', 'positive', 'relevant', 'helpful', 'success', 'thumbs_up'
        ), true,
        lower(label) IN (
            'bad', 'fail', 'failed', 'incorrect', 'rejected', 'reject', 'no', 'false', 'negative', 'irrelevant', 'unhelpful', 'failure',
            'thumbs_down'
        ), false,
        ifNull(value >= 0.5, false)
    ) AS good
FROM (SELECT * FROM scores_told ORDER BY tenant, trace_id, span_id, name, at DESC LIMIT 1 BY tenant, trace_id, span_id, name);
