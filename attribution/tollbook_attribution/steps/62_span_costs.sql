-- What did each span cost by itself, in money, time and bytes, and was it scaffolding?
-- Where no bill has a say, calls' costs are theirs, and the ledger's three lines a call are not read (`60_requests`).
-- Trace by trace.
-- Where there is: spans, work_told_elsewhere
INSERT INTO span_costs_settled
WITH (SELECT count() > 0 FROM work_billed WHERE settlement = {settlement:UInt64}) AS is_billed
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    s.trace_id AS trace_id,
    s.span_id AS span_id,
    s.start_time AS start_time,
    s.duration_ns AS duration_ns,
    s.name AS name,
    s.service_name AS service_name,
    s.workflow AS workflow,
    s.team AS team,
    e.scaffolding_class AS scaffolding_class,
    s.tollbook_kind AS tollbook_kind,
    e.self_ns AS self_ns,
    e.cpu_self_ns AS cpu_self_ns,
    s.bytes AS bytes,
    c.cost_usd AS cost_usd
FROM (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64}) AS s
LEFT ANY JOIN (SELECT * FROM work_efforts WHERE settlement = {settlement:UInt64}) AS e ON s.trace_id = e.trace_id AND s.span_id = e.span_id
LEFT ANY JOIN (
    SELECT trace_id, span_id, sum(usd) AS cost_usd
    FROM (
        SELECT trace_id, span_id, cost_usd AS usd
        FROM work_priced
        WHERE settlement = {settlement:UInt64} AND NOT is_billed AND (notEmpty(booked) OR notEmpty(reported))
        UNION ALL
        SELECT trace_id, span_id, amount_usd AS usd
        FROM work_lines
        WHERE settlement = {settlement:UInt64} AND span_id != toFixedString('', 8) AND NOT is_billed
        UNION ALL
        SELECT trace_id, span_id, amount_usd AS usd
        FROM ledger_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND span_id != toFixedString('', 8) AND is_billed
    )
    GROUP BY trace_id, span_id
) AS c ON s.trace_id = c.trace_id AND s.span_id = c.span_id
