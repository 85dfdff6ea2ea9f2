-- Which lines does the ledger have, and whose are they? Every line with the owners of its span.
-- Trace by trace.
-- Where there is: work_lines, work_priced
INSERT INTO ledger_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    l.trace_id AS trace_id,
    l.span_id AS span_id,
    l.start_time AS start_time,
    l.allocation AS allocation,
    l.category AS category,
    l.item AS item,
    l.resource AS resource,
    l.provider AS provider,
    l.account AS account,
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
    l.simulated AS simulated,
    l.service_name AS service_name,
    l.service_version AS service_version,
    l.workflow AS workflow,
    l.team AS team,
    l.project AS project,
    l.feature AS feature,
    l.customer AS customer,
    l.environment AS environment,
    l.site AS site,
    l.region AS region,
    l.model AS model
FROM (
    SELECT
        trace_id, span_id, start_time, allocation, category, item, resource, provider, account, toDecimal128(quantity, 9) AS quantity, unit, amount, currency,
        amount_usd, price_id, price_version, basis, method, waste, model, simulated, service_name, service_version, workflow, team, project,
        feature, customer, environment, site, region
    FROM work_token_lines(settlement = {settlement:UInt64})
    UNION ALL
    SELECT
        w.trace_id, w.span_id, w.start_time, w.allocation, w.category, w.item, w.resource, w.provider, if(w.account != '', w.account, s.account) AS account,
        w.quantity, w.unit, w.amount, w.currency, w.amount_usd, w.price_id, w.price_version, w.basis, w.method, w.waste,
        multiIf(w.model != '', w.model, s.response_model != '', s.response_model, s.request_model) AS model, s.simulated,
        s.service_name, s.service_version, s.workflow, s.team, s.project, s.feature, s.customer, s.environment, s.site, s.region
    FROM (SELECT * FROM work_lines WHERE settlement = {settlement:UInt64}) AS w
    LEFT ANY JOIN (
        SELECT
            trace_id, span_id, account, simulated, service_name, service_version, workflow, team, project, feature, customer, environment, site, region,
            response_model, request_model
        FROM work_spans
        WHERE settlement = {settlement:UInt64}
            AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_lines WHERE settlement = {settlement:UInt64})
        UNION ALL
        SELECT
            trace_id, span_id, account, simulated, service_name, service_version, workflow, team, project, feature, customer, environment, site, region,
            response_model, request_model
        FROM work_line_owners
        WHERE settlement = {settlement:UInt64}
    ) AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
) AS l
WHERE l.basis = 'invoice'
    OR (l.category, l.resource, l.provider, l.account) NOT IN (
        SELECT category, resource, provider, account FROM work_billed WHERE settlement = {settlement:UInt64}
    )
