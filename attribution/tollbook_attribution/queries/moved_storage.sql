-- In which hours must storage be booked, or booked again, as copies are known now? The last hours of days that are over.
WITH held AS (
    SELECT
        tenant, asset_id, location, provider, storage_class, region, bytes, from_ns, until_ns,
        arrayJoin(range(
            toUInt32(intDiv(from_ns, 86400000000000)),
            toUInt32(least(intDiv(until_ns - 1, 86400000000000) + 1, intDiv(toInt64(toUnixTimestamp({now:DateTime('UTC')})), 86400)))
        )) AS day
    FROM storage_intervals
    WHERE until_ns > from_ns AND from_ns > 0
),
expected AS (
    SELECT
        tenant,
        (toDateTime(toInt64(day) * 86400 + 82800, 'UTC')) AS window,
        sum(cityHash64(
            asset_id, location, provider, storage_class, region, bytes,
            toUInt64(least(until_ns, (toInt64(day) + 1) * 86400000000000) - greatest(from_ns, toInt64(day) * 86400000000000))
        )) AS digest
    FROM held
    GROUP BY tenant, window
),
booked AS (
    SELECT tenant, window, sum(cityHash64(asset_id, location, provider, storage_class, region, bytes, held_ns)) AS digest
    FROM storage
    GROUP BY tenant, window
)
SELECT tenant, window
FROM (
    SELECT tenant, window, sum(digest) AS digest_expected, 0 AS digest_booked FROM expected GROUP BY tenant, window
    UNION ALL
    SELECT tenant, window, 0 AS digest_expected, sum(digest) AS digest_booked FROM booked GROUP BY tenant, window
)
GROUP BY tenant, window
HAVING sum(digest_expected) != sum(digest_booked)
ORDER BY window, tenant
