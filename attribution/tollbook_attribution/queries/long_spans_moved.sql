-- Of which settled hours have the hours that spans began in which ran on into them got facts since somebody looked at them?
SELECT l.tenant AS tenant, l.window AS window
FROM (
    SELECT tenant, window, argMax(hours, looked_at) AS hours, argMax(facts, looked_at) AS facts
    FROM long_spans_settled
    GROUP BY tenant, window
) AS l
ARRAY JOIN l.hours AS hour
LEFT ANY JOIN (SELECT tenant, window, sum(fact_hours.facts) AS facts FROM fact_hours GROUP BY tenant, window) AS f ON l.tenant = f.tenant AND hour = f.window
GROUP BY l.tenant, l.window
HAVING sum(f.facts) != any(l.facts)
ORDER BY window, tenant
