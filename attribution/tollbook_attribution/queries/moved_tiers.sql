-- Which settled hours have bytes in other tiers of the month than when they were settled?
-- Those with an end of a tier between where their bytes began or begin, and where they ended or end.
WITH sent AS (
    SELECT
        tenant, window, provider, account, region, item, bytes, month_bytes,
        sum(bytes) OVER (
            PARTITION BY tenant, provider, account, region, item, toStartOfMonth(window) ORDER BY window
            ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
        ) - bytes AS now_bytes
    FROM transfer_volumes
),
ends AS (
    SELECT DISTINCT
        item,
        lower(provider) AS provider,
        toInt256(bound) * multiIf(unit = 'gib', 1073741824, unit = 'byte', 1, 1000000000) AS end_bytes
    FROM current_prices
    ARRAY JOIN [min_quantity, max_quantity] AS bound
    WHERE category = 'transfer' AND bound > 0 AND bound < 9223372036854775807
)
SELECT DISTINCT s.tenant AS tenant, s.window AS window
FROM (SELECT * FROM sent WHERE now_bytes != month_bytes) AS s
INNER JOIN ends AS e ON s.item = e.item
WHERE (e.provider = '' OR e.provider = s.provider)
    AND e.end_bytes > least(s.now_bytes, s.month_bytes) AND e.end_bytes < greatest(s.now_bytes, s.month_bytes) + s.bytes
ORDER BY window, tenant
