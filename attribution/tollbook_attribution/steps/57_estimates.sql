-- What is the hour estimated to have cost, by what a bill can name?
-- Trace by trace.
-- Where there is: work_lines, work_priced
INSERT INTO estimates_settled (window, tenant, settlement, category, resource, provider, account, unit, quantity, seen, amount_usd)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    category,
    resource,
    provider,
    account,
    unit,
    sum(used) AS quantity,
    toDecimal128(0, 9) AS seen,
    sum(usd) AS amount_usd
FROM (
    SELECT
        l.category AS category, l.resource AS resource, l.provider AS provider, if(l.account != '', l.account, s.account) AS account, l.unit AS unit,
        l.quantity AS used, l.amount_usd AS usd
    FROM (SELECT * FROM work_lines WHERE settlement = {settlement:UInt64}) AS l
    LEFT ANY JOIN (SELECT trace_id, span_id, account FROM work_spans WHERE settlement = {settlement:UInt64} AND account != '') AS s
        ON l.trace_id = s.trace_id AND l.span_id = s.span_id
    UNION ALL
    SELECT
        'tokens' AS category, concat(c.price_provider, '/', c.price_model) AS resource, c.price_provider AS provider, c.account AS account, w.unit AS unit,
        c.used AS used, c.usd AS usd
    FROM (
        SELECT price_provider, price_model, account, line.1 AS place, sum(toDecimal128(line.2, 9)) AS used, sum(line.4) AS usd
        FROM work_priced
        ARRAY JOIN booked AS line
        WHERE settlement = {settlement:UInt64}
        GROUP BY price_provider, price_model, account, place
    ) AS c
    INNER JOIN (SELECT place, unit FROM work_price_places WHERE settlement = {settlement:UInt64}) AS w ON c.place = w.place
    UNION ALL
    SELECT
        'tokens' AS category, concat(price_provider, '/', price_model) AS resource, price_provider AS provider, account, line.2 AS unit,
        toDecimal128(line.3, 9) AS used, line.6 AS usd
    FROM work_priced
    ARRAY JOIN reported AS line
    WHERE settlement = {settlement:UInt64}
)
GROUP BY category, resource, provider, account, unit
