-- What was paid for and claimed by nobody? What is left of each machine's cost, to the last digit.
INSERT INTO work_lines
WITH borne AS (
    SELECT resource, sum(amount_usd) AS amount_usd
    FROM work_lines
    WHERE settlement = {settlement:UInt64} AND category = 'compute'
    GROUP BY resource
)
SELECT
    {settlement:UInt64} AS settlement,
    toFixedString('', 16) AS trace_id,
    toFixedString('', 8) AS span_id,
    h.first_seen AS start_time,
    'idle' AS allocation,
    'compute' AS category,
    'idle CPU time' AS item,
    concat('host:', h.host) AS resource,
    '' AS provider,
    '' AS account,
    '' AS model,
    toDecimal128(toDecimal256(greatest(assumeNotNull(h.capacity_ns) - h.claimed_ns, 0), 9) / toInt256(1000000000), 9) AS quantity,
    's' AS unit,
    left_usd AS amount,
    'USD' AS currency,
    assumeNotNull(h.amount_usd) - b.amount_usd AS left_usd,
    h.rate_id AS price_id,
    splitByChar('@', toString(h.rate_id))[-1] AS price_version,
    'computed' AS basis,
    'what no span claims of the machine' AS method,
    '' AS waste
FROM (
    SELECT * FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != ''
) AS h
LEFT ANY JOIN borne AS b ON concat('host:', h.host) = b.resource
WHERE left_usd != 0
