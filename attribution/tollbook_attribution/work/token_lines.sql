-- Which ledger lines do tokens make, and whose are they? One for each counted call and kind of token, none for an answer of one's own cache or a call paid for
-- ahead. They are written once, into the ledger: written here too, with the lines of machines, they took 2 of 35 us of CPU a span.
-- A view, so that columns that are not asked for are not read; each call is joined before it is taken apart.
CREATE OR REPLACE VIEW work_token_lines AS
SELECT
    c.* EXCEPT line,
    if(c.trace_id = toFixedString('', 16), 'unattributed', 'request') AS allocation,
    'tokens' AS category,
    w.item AS item,
    w.unit AS unit,
    c.line.2 AS quantity,
    c.line.3 AS amount,
    w.currency AS currency,
    c.line.4 AS amount_usd,
    w.price_id AS price_id,
    w.price_version AS price_version,
    w.method AS method
FROM (
    SELECT * EXCEPT booked, line
    FROM (
        SELECT
            p.trace_id AS trace_id, p.span_id AS span_id, p.start_time AS start_time, p.price_provider AS provider,
            concat(p.price_provider, '/', p.price_model) AS resource, p.basis AS basis, p.waste AS waste, p.account AS account,
            s.simulated AS simulated, s.service_name AS service_name, s.service_version AS service_version, s.workflow AS workflow, s.team AS team,
            s.project AS project, s.feature AS feature, s.customer AS customer, s.environment AS environment, s.site AS site, s.region AS region,
            if(s.response_model != '', s.response_model, s.request_model) AS model,
            p.booked AS booked
        FROM (SELECT * FROM work_priced WHERE settlement = {settlement:UInt64} AND notEmpty(booked)) AS p
        INNER ANY JOIN (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64}) AS s ON p.trace_id = s.trace_id AND p.span_id = s.span_id
    )
    ARRAY JOIN booked AS line
) AS c
INNER JOIN (SELECT * FROM work_price_places WHERE settlement = {settlement:UInt64}) AS w ON c.line.1 = w.place
UNION ALL
SELECT
    c.* EXCEPT line,
    if(c.trace_id = toFixedString('', 16), 'unattributed', 'request') AS allocation,
    'tokens' AS category,
    c.line.1 AS item,
    c.line.2 AS unit,
    c.line.3 AS quantity,
    c.line.4 AS amount,
    c.line.5 AS currency,
    c.line.6 AS amount_usd,
    'reported' AS price_id,
    '' AS price_version,
    c.line.7 AS method
FROM (
    SELECT * EXCEPT reported, line
    FROM (
        SELECT
            p.trace_id AS trace_id, p.span_id AS span_id, p.start_time AS start_time, p.price_provider AS provider,
            concat(p.price_provider, '/', p.price_model) AS resource, p.basis AS basis, p.waste AS waste, p.account AS account,
            s.simulated AS simulated, s.service_name AS service_name, s.service_version AS service_version, s.workflow AS workflow, s.team AS team,
            s.project AS project, s.feature AS feature, s.customer AS customer, s.environment AS environment, s.site AS site, s.region AS region,
            if(s.response_model != '', s.response_model, s.request_model) AS model,
            p.reported AS reported
        FROM (SELECT * FROM work_priced WHERE settlement = {settlement:UInt64} AND notEmpty(reported)) AS p
        INNER ANY JOIN (
            SELECT * FROM work_spans
            WHERE settlement = {settlement:UInt64}
                AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_priced WHERE settlement = {settlement:UInt64} AND notEmpty(reported))
        ) AS s ON p.trace_id = s.trace_id AND p.span_id = s.span_id
    )
    ARRAY JOIN reported AS line
) AS c;
