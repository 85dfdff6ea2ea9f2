-- In which hours must what was paid ahead for quiet hours be booked, or booked again, as facts are known now? The last hours of days that are over, from the month
-- of the first fact on. Hours of a day are bits: those of the period less those that have facts.
WITH active AS (
    SELECT tenant, toUInt32(intDiv(toUnixTimestamp(window), 86400)) AS day, groupBitOr(toUInt32(bitShiftLeft(toUInt32(1), toHour(window)))) AS heard
    FROM (SELECT tenant, window FROM fact_hours GROUP BY tenant, window HAVING sum(facts) > 0)
    GROUP BY tenant, day
),
begun AS (
    SELECT tenant, toInt64(toUnixTimestamp(toDateTime(toStartOfMonth(min(window)), 'UTC'))) AS since_s FROM fact_hours WHERE facts > 0 GROUP BY tenant
),
paid AS (
    SELECT
        c.tenant AS tenant, c.commitment_id AS commitment_id, c.currency AS currency,
        greatest(toInt64(toUnixTimestamp(c.valid_from)), b.since_s) AS from_s,
        least(toInt64(toUnixTimestamp(c.valid_until)), intDiv(toInt64(toUnixTimestamp({now:DateTime('UTC')})), 86400) * 86400) AS upto_s
    FROM (SELECT * FROM commitments ORDER BY set_at DESC LIMIT 1 BY tenant, commitment_id) AS c
    INNER JOIN begun AS b ON c.tenant = b.tenant
    WHERE c.amount > 0 AND from_s < upto_s
),
days AS (
    SELECT
        tenant, commitment_id, currency,
        arrayJoin(range(toUInt32(intDiv(from_s, 86400)), toUInt32(intDiv(upto_s - 1, 86400) + 1))) AS day,
        toInt64(day) * 86400 AS day_s,
        intDiv(greatest(from_s - day_s, 0), 3600) AS first_hour,
        intDiv(least(upto_s - day_s, 86400) + 3599, 3600) AS end_hour,
        toUInt32(bitShiftLeft(toUInt64(1), end_hour) - bitShiftLeft(toUInt64(1), first_hour)) AS hours
    FROM paid
),
expected AS (
    SELECT
        d.tenant AS tenant, d.commitment_id AS commitment_id, (toDateTime(d.day_s + 82800, 'UTC')) AS window,
        bitCount(bitAnd(d.hours, bitNot(a.heard))) AS quiet
    FROM days AS d
    LEFT ANY JOIN active AS a ON d.tenant = a.tenant AND d.day = a.day
    WHERE quiet > 0 AND (d.currency = 'USD' OR (d.currency, toDate(d.day)) IN (SELECT currency, day FROM daily_exchange_rates))
),
booked AS (
    SELECT tenant, window, price_id AS commitment_id, toUInt64(quantity) AS quiet
    FROM resource_costs
    WHERE startsWith(resource, 'commitment:') AND endsWith(resource, '/quiet hours')
)
SELECT tenant, window
FROM (
    SELECT tenant, window, sum(cityHash64(commitment_id, toUInt64(quiet))) AS wanted, toUInt64(0) AS there FROM expected GROUP BY tenant, window
    UNION ALL
    SELECT tenant, window, toUInt64(0) AS wanted, sum(cityHash64(toString(commitment_id), quiet)) AS there FROM booked GROUP BY tenant, window
)
GROUP BY tenant, window
HAVING sum(wanted) != sum(there)
ORDER BY window, tenant
