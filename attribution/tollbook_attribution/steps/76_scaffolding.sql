-- How much time, bytes and money did each piece of scaffolding take?
-- Time is wall time, a span within another of the same class not counted again; money is that of the spans themselves. It says what
-- the scaffolding takes, not that all of it could be saved, so the saving is left at zero.
-- Where there is: spans
SELECT 1 AS found FROM work_efforts WHERE settlement = {settlement:UInt64} AND scaffolding_class NOT IN ('', 'useful') LIMIT 1;

INSERT INTO findings_settled
WITH classed AS (
    SELECT
        s.trace_id AS trace_id, s.span_id AS span_id, s.parent_span_id AS parent_span_id, s.name AS name, s.service_name AS service_name,
        s.workflow AS workflow, s.team AS team, s.duration_ns AS duration_ns, s.bytes AS bytes, e.scaffolding_class AS scaffolding_class
    FROM work_spans AS s
    INNER JOIN work_efforts AS e ON s.trace_id = e.trace_id AND s.span_id = e.span_id
    WHERE s.settlement = {settlement:UInt64} AND e.settlement = {settlement:UInt64} AND e.scaffolding_class NOT IN ('', 'useful')
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    'scaffolding' AS kind,
    c.name AS subject,
    c.service_name AS service_name,
    c.workflow AS workflow,
    c.team AS team,
    count() AS count,
    sumIf(c.duration_ns, p.span_id = toFixedString('', 8)) AS duration_ns,
    sum(greatest(ifNull(c.bytes, 0), 0)) AS bytes,
    sum(k.cost_usd) AS cost_usd,
    toDecimal128(0, 18) AS saving_usd,
    0 AS saving_ns,
    argMax(c.trace_id, (c.duration_ns, c.trace_id)) AS example_trace_id,
    concat(toString(count), ' spans of class ', c.scaffolding_class, ' in ', toString(uniqExact(c.trace_id)), ' requests.') AS detail,
    c.scaffolding_class AS scaffolding_class
FROM classed AS c
LEFT ANY JOIN classed AS p
    ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id AND c.scaffolding_class = p.scaffolding_class
LEFT ANY JOIN (
    SELECT trace_id, span_id, cost_usd FROM span_costs_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND cost_usd > 0
) AS k ON c.trace_id = k.trace_id AND c.span_id = k.span_id
GROUP BY c.name, c.service_name, c.workflow, c.team, c.scaffolding_class
