-- What did each request do, how long did it take, and what did it cost?
-- A request is a trace. Its name and status are those of its request span, else of its root; what goes on from the window before is 'continued'.
-- Where no bill has a say, what calls came to is added up from them, and not from their lines in the ledger: those are three times as many.
-- Trace by trace.
-- Where there is: spans, work_told_elsewhere
INSERT INTO requests_settled
WITH
    (SELECT count() > 0 FROM work_billed WHERE settlement = {settlement:UInt64}) AS is_billed,
called AS (
    SELECT
        trace_id,
        sumOrNullIf(usd, is_line) AS cost_usd,
        sum(is_call) AS inference_count,
        sum(is_unpriced) AS unpriced_calls
    FROM (
        SELECT
            trace_id,
            cost_usd AS usd,
            NOT is_billed AND (notEmpty(booked) OR notEmpty(reported)) AS is_line,
            true AS is_call,
            price_status = 'unpriced' AS is_unpriced
        FROM work_priced WHERE settlement = {settlement:UInt64}
        UNION ALL
        SELECT trace_id, amount_usd AS usd, true AS is_line, false AS is_call, false AS is_unpriced
        FROM work_lines
        WHERE settlement = {settlement:UInt64} AND allocation = 'request' AND NOT is_billed
        UNION ALL
        SELECT trace_id, amount_usd AS usd, true AS is_line, false AS is_call, false AS is_unpriced
        FROM ledger_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND allocation = 'request' AND is_billed
    )
    GROUP BY trace_id
),
ages AS (
    SELECT trace_id, max(age_ns) AS input_age_ns
    FROM lineage_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
    GROUP BY trace_id
),
traces AS (
    SELECT
        s.trace_id AS trace_id,
        min(s.start_time) AS start_time,
        max(fromUnixTimestamp64Nano(toUnixTimestamp64Nano(s.start_time) + s.duration_ns, 'UTC')) AS end_time,
        argMin((s.name, s.service_name, s.status_code), (s.tollbook_kind != 'request', s.parent_span_id != toFixedString('', 8), s.start_time, s.span_id)) AS head,
        argMinIf(s.workflow, s.start_time, s.workflow != '') AS workflow,
        argMinIf(s.team, s.start_time, s.team != '') AS team,
        argMinIf(s.project, s.start_time, s.project != '') AS project,
        argMinIf(s.feature, s.start_time, s.feature != '') AS feature,
        argMinIf(s.customer, s.start_time, s.customer != '') AS customer,
        argMinIf(s.environment, s.start_time, s.environment != '') AS environment,
        argMinIf(s.site, s.start_time, s.site != '') AS site,
        argMinIf(s.tier, s.start_time, s.tier != '') AS tier,
        count() AS span_count,
        countIf(s.tollbook_kind = 'handoff') AS handoff_count,
        sumIf(greatest(ifNull(s.handoff_bytes, 0), 0), s.tollbook_kind = 'handoff') AS handoff_bytes,
        countIf(s.kind IN ('client', 'producer')) AS hops,
        max(s.simulated) AS simulated,
        countIf(s.parent_span_id = toFixedString('', 8) OR s.tollbook_kind = 'request') = 0 AS has_no_head
    FROM work_spans AS s
    WHERE s.settlement = {settlement:UInt64} AND s.trace_id != toFixedString('', 16)
    GROUP BY s.trace_id
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    t.trace_id AS trace_id,
    t.start_time AS start_time,
    t.end_time AS end_time,
    toUnixTimestamp64Nano(t.end_time) - toUnixTimestamp64Nano(t.start_time) AS duration_ns,
    t.head.1 AS name,
    t.head.2 AS service_name,
    t.workflow AS workflow,
    t.team AS team,
    t.project AS project,
    t.feature AS feature,
    t.customer AS customer,
    t.environment AS environment,
    if(t.head.3 = 'error', 'error', 'ok') AS status,
    t.span_count AS span_count,
    c.inference_count AS inference_count,
    t.handoff_count AS handoff_count,
    t.handoff_bytes AS handoff_bytes,
    t.hops AS hops,
    t.simulated AS simulated,
    t.has_no_head AND t.trace_id IN (
        SELECT trace_id FROM spans
        WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} - INTERVAL 1 HOUR AND start_time < {window:DateTime('UTC')}
            AND trace_id BETWEEN unhex({first_trace:String}) AND unhex({last_trace:String})
    ) AS continued,
    c.cost_usd AS cost_usd,
    c.unpriced_calls AS unpriced_calls,
    ages.input_age_ns AS input_age_ns,
    t.site AS site,
    t.tier AS tier
FROM traces AS t
LEFT ANY JOIN called AS c ON t.trace_id = c.trace_id
LEFT ANY JOIN ages ON t.trace_id = ages.trace_id
