-- Which spans of this hour have a parent that began before it and whose measured CPU time covers theirs? They claim none of their own (`12_efforts`).
-- Where there is: work_long_spans
SELECT 1 AS found FROM work_spans
WHERE settlement = {settlement:UInt64} AND isNull(cpu_time_ns)
    AND (trace_id, parent_span_id) IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {long:UInt64} AND isNotNull(cpu_time_ns))
LIMIT 1;

INSERT INTO work_efforts
SELECT
    {long:UInt64} AS settlement, e.trace_id AS trace_id, e.span_id AS span_id, e.self_ns AS self_ns, e.cpu_self_ns AS cpu_self_ns, 0 AS claim_ns,
    e.estimated AS estimated, e.scaffolding_class AS scaffolding_class
FROM (SELECT * FROM work_efforts WHERE settlement = {settlement:UInt64} AND estimated AND claim_ns > 0) AS e
INNER JOIN (SELECT trace_id, span_id, parent_span_id, process FROM work_spans WHERE settlement = {settlement:UInt64} AND isNull(cpu_time_ns)) AS s
    ON e.trace_id = s.trace_id AND e.span_id = s.span_id
INNER JOIN (SELECT trace_id, span_id, process FROM work_spans WHERE settlement = {long:UInt64} AND isNotNull(cpu_time_ns)) AS p
    ON s.trace_id = p.trace_id AND s.parent_span_id = p.span_id
WHERE s.process = p.process;

DELETE FROM work_efforts
WHERE settlement = {settlement:UInt64} AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_efforts WHERE settlement = {long:UInt64});

INSERT INTO work_efforts SELECT * REPLACE ({settlement:UInt64} AS settlement) FROM work_efforts AS e WHERE e.settlement = {long:UInt64}
