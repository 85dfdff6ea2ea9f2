-- Which lines does the ledger have, and whose are they? Every line with the owners of its span.
-- Trace by trace.
-- Where there is: work_lines
INSERT INTO ledger_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    cityHash64(l.trace_id, l.span_id, window, l.allocation, l.category, l.resource, l.item, l.price_id) AS line_id,
    l.trace_id AS trace_id,
    l.span_id AS span_id,
    l.start_time AS start_time,
    l.allocation AS allocation,
    l.category AS category,
    l.item AS item,
    l.resource AS resource,
    l.provider AS provider,
    if(l.account != '', l.account, s.account) AS account,
    l.quantity AS quantity,
    l.unit AS unit,
    l.amount AS amount,
    l.currency AS currency,
    l.amount_usd AS amount_usd,
    l.price_id AS price_id,
    l.price_version AS price_version,
    l.basis AS basis,
    l.method AS method,
    l.waste AS waste,
    s.simulated AS simulated,
    s.service_name AS service_name,
    s.service_version AS service_version,
    s.workflow AS workflow,
    s.team AS team,
    s.project AS project,
    s.feature AS feature,
    s.customer AS customer,
    s.environment AS environment,
    s.site AS site,
    s.region AS region,
    multiIf(l.model != '', l.model, s.response_model != '', s.response_model, s.request_model) AS model
FROM (SELECT * FROM work_lines WHERE settlement = {settlement:UInt64}) AS l
LEFT ANY JOIN (
    SELECT
        trace_id, span_id, account, simulated, service_name, service_version, workflow, team, project, feature, customer, environment, site, region,
        response_model, request_model
    FROM work_spans
    WHERE settlement = {settlement:UInt64}
    UNION ALL
    SELECT
        trace_id, span_id, '' AS account, false AS simulated, service_name, '' AS service_version, workflow, team, project, feature, customer,
        environment, '' AS site, region, '' AS response_model, '' AS request_model
    FROM work_line_owners
    WHERE settlement = {settlement:UInt64}
) AS s ON l.trace_id = s.trace_id AND l.span_id = s.span_id
WHERE l.basis = 'invoice'
    OR (l.category, l.resource, l.provider, if(l.account != '', l.account, s.account)) NOT IN (
        SELECT category, resource, provider, account FROM work_billed WHERE settlement = {settlement:UInt64}
    )
