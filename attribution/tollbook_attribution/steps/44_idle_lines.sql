-- What was paid for and claimed by nobody? What is left of each machine's cost, to the last digit.
INSERT INTO ledger_settled
WITH borne AS (
    SELECT resource, sum(amount_usd) AS amount_usd
    FROM ledger_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND category = 'compute'
    GROUP BY resource
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    cityHash64('idle', 'compute', h.host, h.window) AS line_id,
    toFixedString('', 16) AS trace_id,
    toFixedString('', 8) AS span_id,
    h.first_seen AS start_time,
    'idle' AS allocation,
    'compute' AS category,
    'idle CPU time' AS item,
    concat('host:', h.host) AS resource,
    toDecimal128(toDecimal256(greatest(assumeNotNull(h.capacity_ns) - h.claimed_ns, 0), 9) / toInt256(1000000000), 9) AS quantity,
    's' AS unit,
    assumeNotNull(h.amount_usd) - b.amount_usd AS amount_usd,
    'USD' AS currency,
    h.rate_id AS price_id,
    splitByChar('@', toString(h.rate_id))[-1] AS price_version,
    'computed' AS basis,
    'what no span claims of the machine' AS method,
    false AS simulated,
    '' AS service_name,
    '' AS workflow,
    '' AS team,
    '' AS project,
    '' AS feature,
    '' AS customer,
    '' AS environment,
    '' AS model
FROM (
    SELECT * FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != ''
) AS h
LEFT ANY JOIN borne AS b ON concat('host:', h.host) = b.resource
WHERE amount_usd != 0
