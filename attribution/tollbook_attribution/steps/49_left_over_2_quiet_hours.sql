-- What was paid ahead for the hours of the day that nothing was heard of? It is booked in the day's last hour, as storage is.
-- No request was there to use or to bear it, so it joins no pool. Parts are as of any hour (`31_commitments_1_hour`): all hours of a period add up to what was paid.
-- Where there is: quiet
INSERT INTO work_left
WITH hours AS (
    SELECT toInt64(toUnixTimestamp(toStartOfDay({window:DateTime('UTC')}))) + toInt64(number) * 3600 AS hour_s
    FROM numbers(24)
    WHERE hour_s NOT IN (
        SELECT toInt64(toUnixTimestamp(f.window)) FROM fact_hours AS f
        WHERE f.tenant = {tenant:String} AND f.window >= toStartOfDay({window:DateTime('UTC')}) AND f.window <= {window:DateTime('UTC')}
        GROUP BY f.window
        HAVING sum(f.facts) > 0
    )
),
paid AS (
    SELECT
        c.commitment_id AS commitment_id, c.unit AS unit, toString(c.valid_from) AS version,
        toInt64(toUnixTimestamp(c.valid_from)) AS from_s,
        toInt64(toUnixTimestamp(c.valid_until)) AS to_s,
        greatest(from_s, h.hour_s) AS since_s,
        least(to_s, h.hour_s + 3600) AS until_s,
        toDecimal128(toDecimal256(c.amount, 18) * toInt256(until_s - from_s) / toInt256(to_s - from_s) * x.usd_per_unit, 18)
        - toDecimal128(toDecimal256(c.amount, 18) * toInt256(since_s - from_s) / toInt256(to_s - from_s) * x.usd_per_unit, 18) AS usd
    FROM (SELECT * FROM commitments WHERE tenant = {tenant:String} ORDER BY set_at DESC LIMIT 1 BY commitment_id) AS c
    CROSS JOIN hours AS h
    INNER JOIN (
        SELECT currency, usd_per_unit FROM daily_exchange_rates WHERE day = toDate({window:DateTime('UTC')}) AND currency != 'USD'
        UNION ALL
        SELECT 'USD' AS currency, toDecimal128(1, 18) AS usd_per_unit
    ) AS x ON c.currency = x.currency
    WHERE c.amount > 0 AND since_s < until_s
)
SELECT
    {settlement:UInt64} AS settlement,
    transform(unit, ['token', 'call', 'request', 'seat', 'use', 'host_hour', 'usd', 'gpu_hour'],
        ['tokens', 'tokens', 'third_party', 'third_party', 'third_party', 'compute', 'compute', 'accelerator'], 'shared') AS category,
    concat('commitment:', commitment_id, '/quiet hours') AS resource,
    '' AS node,
    '' AS cluster,
    if(unit = '', 'fixed fee of quiet hours', 'unused commitment in quiet hours') AS item,
    if(unit = '', 'shared', 'idle') AS allocation,
    toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
    toDecimal128(count(), 9) AS quantity,
    'hour' AS unit_of_quantity,
    sum(usd) AS amount_usd,
    commitment_id AS price_id,
    version AS price_version,
    'computed' AS basis,
    'what was paid ahead for hours of the day that nothing was heard of' AS method
FROM paid
GROUP BY commitment_id, unit, version;

INSERT INTO work_resources
SELECT settlement, category, resource, quantity, unit, amount_usd, price_id, price_version, basis
FROM work_left
WHERE settlement = {settlement:UInt64} AND endsWith(resource, '/quiet hours')
