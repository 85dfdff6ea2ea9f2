-- What did spans that began before this hour cost in it, and how long did they work in it? Their length and bytes stand with the hour that they began in.
-- Where there is: work_long_spans
INSERT INTO span_costs_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    s.trace_id AS trace_id,
    s.span_id AS span_id,
    b.start_time AS start_time,
    0 AS duration_ns,
    s.name AS name,
    s.service_name AS service_name,
    s.workflow AS workflow,
    s.team AS team,
    e.scaffolding_class AS scaffolding_class,
    s.tollbook_kind AS tollbook_kind,
    e.self_ns AS self_ns,
    e.cpu_self_ns AS cpu_self_ns,
    NULL AS bytes,
    c.cost_usd AS cost_usd
FROM (SELECT * FROM work_spans WHERE settlement = {long:UInt64}) AS s
LEFT ANY JOIN (
    SELECT trace_id, span_id, min(w.start_time) AS start_time
    FROM work_spans AS w
    WHERE w.settlement > {settlement:UInt64} AND w.settlement < {long:UInt64}
    GROUP BY trace_id, span_id
) AS b ON s.trace_id = b.trace_id AND s.span_id = b.span_id
LEFT ANY JOIN (
    SELECT * FROM work_efforts
    WHERE settlement = {settlement:UInt64} AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {long:UInt64})
) AS e ON s.trace_id = e.trace_id AND s.span_id = e.span_id
LEFT ANY JOIN (
    SELECT trace_id, span_id, sum(amount_usd) AS cost_usd
    FROM ledger_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
        AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {long:UInt64})
    GROUP BY trace_id, span_id
) AS c ON s.trace_id = c.trace_id AND s.span_id = c.span_id
