-- Who bears what is left of what was paid? Nobody in particular: it stays a line of its own.
INSERT INTO work_lines
SELECT
    {settlement:UInt64} AS settlement,
    toFixedString('', 16) AS trace_id,
    toFixedString('', 8) AS span_id,
    start_time,
    allocation,
    category,
    item,
    resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    quantity,
    unit,
    amount_usd AS amount,
    'USD' AS currency,
    amount_usd,
    price_id,
    price_version,
    basis,
    method,
    '' AS waste
FROM work_left
WHERE settlement = {settlement:UInt64} AND amount_usd != 0
