-- Which requests went on in this hour with spans that began before it, and with no other? They are 'continued', and cost here what their lines come to.
-- Where there is: work_long_spans
INSERT INTO requests_settled
    (window, tenant, settlement, trace_id, start_time, end_time, duration_ns, name, service_name, workflow, team, project, feature, customer, environment,
    status, simulated, continued, cost_usd, site, tier)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    s.trace_id AS trace_id,
    min(s.start_time) AS first_time,
    max(fromUnixTimestamp64Nano(toUnixTimestamp64Nano(s.start_time) + s.duration_ns, 'UTC')) AS end_time,
    toUnixTimestamp64Nano(end_time) - toUnixTimestamp64Nano(first_time) AS duration_ns,
    argMin(s.name, (s.tollbook_kind != 'request', s.parent_span_id != toFixedString('', 8), s.span_id)) AS name,
    argMin(s.service_name, (s.tollbook_kind != 'request', s.parent_span_id != toFixedString('', 8), s.span_id)) AS service_name,
    argMinIf(s.workflow, s.span_id, s.workflow != '') AS workflow,
    argMinIf(s.team, s.span_id, s.team != '') AS team,
    argMinIf(s.project, s.span_id, s.project != '') AS project,
    argMinIf(s.feature, s.span_id, s.feature != '') AS feature,
    argMinIf(s.customer, s.span_id, s.customer != '') AS customer,
    argMinIf(s.environment, s.span_id, s.environment != '') AS environment,
    if(argMin(s.status_code, (s.tollbook_kind != 'request', s.parent_span_id != toFixedString('', 8), s.span_id)) = 'error', 'error', 'ok') AS status,
    max(s.simulated) AS simulated,
    true AS continued,
    any(c.cost_usd) AS cost_usd,
    argMinIf(s.site, s.span_id, s.site != '') AS site,
    argMinIf(s.tier, s.span_id, s.tier != '') AS tier
FROM (SELECT * FROM work_spans WHERE settlement = {long:UInt64}) AS s
LEFT ANY JOIN (
    SELECT trace_id, toNullable(sum(amount_usd)) AS cost_usd FROM ledger_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND allocation = 'request'
        AND trace_id IN (SELECT trace_id FROM work_spans WHERE settlement = {long:UInt64})
    GROUP BY trace_id
) AS c ON s.trace_id = c.trace_id
WHERE s.trace_id != toFixedString('', 16)
    AND s.trace_id NOT IN (
        SELECT trace_id FROM requests_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
            AND trace_id IN (SELECT trace_id FROM work_spans WHERE settlement = {long:UInt64})
    )
GROUP BY s.trace_id
