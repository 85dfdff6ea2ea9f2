-- What nobody bears by policy, or nobody could bear, stays a line of its own.
-- Where there is: work_left
INSERT INTO work_lines
WITH policy AS (
    SELECT toString(r.allocation) AS allocation, if(r.method = '', 'separate', r.method) AS method
    FROM (
        SELECT a.allocation AS allocation, p.method AS method
        FROM (SELECT arrayJoin(['idle', 'shared', 'unattributed']) AS allocation) AS a
        LEFT ANY JOIN (
            SELECT toString(subject) AS allocation, argMax(policies.method, (valid_from, set_at)) AS method FROM policies
            WHERE tenant = {tenant:String} AND subject IN ('idle', 'shared') AND valid_from <= {window:DateTime('UTC')}
            GROUP BY subject
        ) AS p ON a.allocation = p.allocation
    ) AS r
),
borne AS (
    SELECT p.category AS category, p.resource AS resource, p.item AS item
    FROM work_pools AS p
    WHERE p.settlement = {settlement:UInt64}
        AND (p.category, p.pool) IN (SELECT category, pool FROM work_bearers WHERE settlement = {settlement:UInt64})
)
SELECT
    {settlement:UInt64} AS settlement,
    toFixedString('', 16) AS trace_id,
    toFixedString('', 8) AS span_id,
    min(w.start_time) AS start_time,
    if(p.method = 'none', 'unattributed', w.allocation) AS goes_to,
    w.category AS category,
    multiIf(
        p.method != 'none' OR w.allocation != 'idle', w.item,
        startsWith(w.item, 'idle '), replaceOne(w.item, 'idle', 'unused'),
        startsWith(w.item, 'accelerator '), 'unused accelerator time',
        w.item
    ) AS part,
    w.resource AS resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    sum(w.quantity) AS quantity,
    w.unit AS unit,
    sum(w.amount_usd) AS amount,
    'USD' AS currency,
    amount AS amount_usd,
    w.price_id AS price_id,
    w.price_version AS price_version,
    w.basis AS basis,
    multiIf(
        w.allocation = 'unattributed', w.method,
        w.allocation = 'shared', concat(w.method, if(p.method = 'separate', '; a line of its own, by policy', '; borne by nobody, by policy')),
        p.method = 'none', 'idle goes to nobody and has no cause, by policy',
        p.method LIKE 'by-%', concat(w.method, ': no request to bear it'),
        w.method
    ) AS method,
    '' AS waste
FROM (SELECT * FROM work_left WHERE settlement = {settlement:UInt64} AND amount_usd != 0) AS w
INNER JOIN policy AS p ON w.allocation = p.allocation
WHERE (w.category, w.resource, w.item) NOT IN (SELECT category, resource, item FROM borne)
GROUP BY p.method, w.allocation, w.category, part, w.resource, w.unit, w.price_id, w.price_version, w.basis, w.method
