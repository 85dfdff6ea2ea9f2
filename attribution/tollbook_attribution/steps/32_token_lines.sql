-- Which ledger lines do tokens make? One for each call and kind of token, none for an answer of one's own cache or a call paid for ahead.
-- Trace by trace.
-- Where there is: work_priced
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
    line.amount AS amount,
    line.currency AS currency,
    line.amount_usd AS amount_usd,
    line.price_id AS price_id,
    line.price_version AS price_version,
    p.basis AS basis,
    line.method AS method,
    t.waste AS waste
FROM (
    SELECT trace_id, span_id, price_provider, price_model, basis, arrayJoin(lines) AS line
    FROM work_priced
    WHERE settlement = {settlement:UInt64} AND price_status = 'priced'
        AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_calls WHERE settlement = {settlement:UInt64} AND local_cache_hit)
        AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_committed WHERE settlement = {settlement:UInt64})
) AS p
INNER JOIN work_spans AS s ON p.trace_id = s.trace_id AND p.span_id = s.span_id
LEFT ANY JOIN (SELECT * FROM work_attempts WHERE settlement = {settlement:UInt64}) AS t ON p.trace_id = t.trace_id AND p.span_id = t.span_id
WHERE s.settlement = {settlement:UInt64}
