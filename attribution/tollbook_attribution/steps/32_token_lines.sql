-- Which ledger lines do tokens make? One for each call and kind of token.
-- Trace by trace.
INSERT INTO work_lines
SELECT
    {settlement:UInt64} AS settlement,
    p.trace_id AS trace_id,
    p.span_id AS span_id,
    s.start_time AS start_time,
    if(p.trace_id = toFixedString('', 16), 'unattributed', 'request') AS allocation,
    'tokens' AS category,
    line.item AS item,
    concat(p.price_provider, '/', p.price_model) AS resource,
    p.price_provider AS provider,
    '' AS account,
    '' AS model,
    line.quantity AS quantity,
    line.unit AS unit,
    line.amount_usd AS amount,
    'USD' AS currency,
    line.amount_usd AS amount_usd,
    line.price_id AS price_id,
    line.price_version AS price_version,
    'computed' AS basis,
    'counted on the span of the call' AS method,
    '' AS waste
FROM (
    SELECT trace_id, span_id, price_provider, price_model, arrayJoin(lines) AS line
    FROM work_priced
    WHERE settlement = {settlement:UInt64} AND price_status = 'priced'
) AS p
INNER JOIN work_spans AS s ON p.trace_id = s.trace_id AND p.span_id = s.span_id
WHERE s.settlement = {settlement:UInt64}
