-- Which spans tell of the same call? Worked out where something says that they may.
CREATE TABLE IF NOT EXISTS work_climbs (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

ALTER TABLE work_climbs ADD COLUMN IF NOT EXISTS is_tool Bool COMMENT 'what a tool did';

CREATE TABLE IF NOT EXISTS work_nesting (
    settlement UInt64,
    trace_id FixedString(16),
    upper_id FixedString(8) COMMENT 'a call''s span',
    lower_id FixedString(8) COMMENT 'a call''s span somewhere below it'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, lower_id);

ALTER TABLE work_nesting ADD COLUMN IF NOT EXISTS by_tool Bool COMMENT 'a tool stands between them';

CREATE TABLE IF NOT EXISTS work_families (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    parent_span_id FixedString(8),
    teller UInt64 COMMENT 'who tells of the call: instrumentation scope and service',
    response_id String,
    call_class Enum8('leaf' = 1, 'rollup' = 2),
    embedding Bool,
    models Array(String),
    has_usage Bool,
    usage_score Int32 COMMENT 'how much it tells of the usage',
    input_tokens Int64 COMMENT 'of all kinds',
    output_tokens Int64 COMMENT 'of all kinds',
    start_ns Int64,
    end_ns Int64,
    failed Bool,
    silent Bool COMMENT 'tells nothing of an answer: no id, no reason to finish, no tokens of output',
    streams Bool
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

ALTER TABLE work_families
    ADD COLUMN IF NOT EXISTS named UInt64 COMMENT 'its name',
    ADD COLUMN IF NOT EXISTS error UInt64 COMMENT 'the class of its error without what stands before it; 0 where none is told, or another word';

CREATE TABLE IF NOT EXISTS work_pairs (
    settlement UInt64,
    trace_id FixedString(16),
    upper_id FixedString(8),
    lower_id FixedString(8),
    upper_class Enum8('leaf' = 1, 'rollup' = 2),
    lower_class Enum8('leaf' = 1, 'rollup' = 2),
    upper_usage Bool,
    lower_usage Bool,
    upper_failed Bool,
    lower_failed Bool,
    same_call Bool COMMENT 'nothing says that they are two',
    upper_exceeds Bool COMMENT 'the upper one tells of more output than the lower one'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, lower_id);

CREATE TABLE IF NOT EXISTS work_bottoms (
    settlement UInt64,
    trace_id FixedString(16),
    upper_id FixedString(8) COMMENT 'a call with tokens that is no roll-up',
    lower_id FixedString(8) COMMENT 'the same call or a part of it, below it, with tokens and with no such call below itself'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, upper_id);

CREATE TABLE IF NOT EXISTS work_repeated_answers (
    settlement UInt64,
    answer UInt64 COMMENT 'of a response id that is named more than once',
    traces UInt8 COMMENT 'that name it; 17 for more than 16'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY answer;

CREATE TABLE IF NOT EXISTS work_merges (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    into_trace_id FixedString(16) COMMENT 'a span that tells of the same call',
    into_span_id FixedString(8),
    evidence UInt8 COMMENT '1 the same answer in one trace, 2 in several, 3 one inside the other, 4 beside, with equal usage or one failure, 5 halves of a stream, 6 inside one of them, 7 of a callback, 8 in traces of their own'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_leads (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    into_trace_id FixedString(16) COMMENT 'the merge with the best evidence',
    into_span_id FixedString(8)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_led (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    call_trace_id FixedString(16) COMMENT 'where leads end',
    call_span_id FixedString(8)
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

CREATE TABLE IF NOT EXISTS work_same_calls (
    settlement UInt64,
    trace_id FixedString(16),
    span_id FixedString(8),
    call_trace_id FixedString(16) COMMENT 'stands for a call that several spans tell of; the same for all of them',
    call_span_id FixedString(8),
    place UInt32 COMMENT '1 for the span that tells of it best'
)
ENGINE = MergeTree
PARTITION BY settlement
ORDER BY (trace_id, span_id);

ALTER TABLE work_same_calls ADD COLUMN IF NOT EXISTS failed Bool COMMENT 'for the one who called: the outermost of these spans';
