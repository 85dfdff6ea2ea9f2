-- What did each of these repeated acts cost, with everything below it in its trace?
-- Trace by trace.
-- Where there is: work_repeats
INSERT INTO work_repeat_costs
WITH RECURSIVE below AS (
    SELECT trace_id, span_id AS top_id, span_id, 1 AS depth
    FROM work_repeats
    WHERE settlement = {settlement:UInt64}
    UNION ALL
    SELECT below.trace_id AS trace_id, below.top_id AS top_id, s.span_id AS span_id, below.depth + 1 AS depth
    FROM below
    INNER JOIN (
        SELECT trace_id, span_id, parent_span_id
        FROM work_spans
        WHERE settlement = {settlement:UInt64}
            AND trace_id IN (SELECT trace_id FROM work_repeats WHERE settlement = {settlement:UInt64})
    ) AS s ON below.trace_id = s.trace_id AND below.span_id = s.parent_span_id
    WHERE below.depth < 100
)
SELECT {settlement:UInt64} AS settlement, b.trace_id AS trace_id, b.top_id AS span_id, sum(c.cost_usd) AS cost_usd
FROM below AS b
INNER JOIN (
    SELECT trace_id, span_id, cost_usd
    FROM span_costs_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND cost_usd > 0
) AS c ON b.trace_id = c.trace_id AND b.span_id = c.span_id
GROUP BY b.trace_id, b.top_id
