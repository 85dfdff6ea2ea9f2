-- What is the hour estimated to have cost, by what a bill can name?
-- Trace by trace.
-- Where there is: work_lines
INSERT INTO estimates_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    l.category AS category,
    l.resource AS resource,
    l.provider AS provider,
    if(l.account != '', l.account, s.account) AS account,
    l.unit AS unit,
    sum(l.quantity) AS quantity,
    toDecimal128(0, 9) AS seen,
    sum(l.amount_usd) AS amount_usd
FROM (SELECT * FROM work_lines WHERE settlement = {settlement:UInt64}) AS l
LEFT ANY JOIN (SELECT trace_id, span_id, account FROM work_spans WHERE settlement = {settlement:UInt64} AND account != '') AS s
    ON l.trace_id = s.trace_id AND l.span_id = s.span_id
GROUP BY category, resource, provider, account, unit
