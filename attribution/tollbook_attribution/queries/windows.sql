-- Which hours of which tenants need settling: those with facts, in the range, whose count has moved since they were settled last (or all, if asked, and
-- those without facts too that storage or what was paid ahead has been booked in).
SELECT
    f.tenant AS tenant,
    f.window AS window,
    f.facts AS facts,
    s.newest AS newest
FROM (
    SELECT tenant, window, sum(told.facts) AS facts
    FROM (
        SELECT tenant, window, facts FROM fact_hours WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        UNION ALL
        SELECT DISTINCT tenant, window, toUInt64(0) AS facts FROM settlements
        WHERE {all:Bool} AND window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    ) AS told
    GROUP BY tenant, window
) AS f
LEFT ANY JOIN (
    SELECT tenant, window, argMax(facts, settlement) AS facts, max(settlement) AS newest
    FROM settlements
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    GROUP BY tenant, window
) AS s ON f.tenant = s.tenant AND f.window = s.window
WHERE {all:Bool} OR s.newest = 0 OR s.facts != f.facts
ORDER BY window, tenant
