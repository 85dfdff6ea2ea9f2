-- Of which settled hours have the hours beside got facts since somebody looked at them?
SELECT e.tenant AS tenant, e.window AS window
FROM (
    SELECT tenant, window, argMax(facts_before, looked_at) AS facts_before, argMax(facts_after, looked_at) AS facts_after
    FROM edges_settled
    GROUP BY tenant, window
) AS e
LEFT ANY JOIN (SELECT tenant, window + INTERVAL 1 HOUR AS next, sum(facts) AS facts FROM fact_hours GROUP BY tenant, next) AS b
    ON e.tenant = b.tenant AND e.window = b.next
LEFT ANY JOIN (SELECT tenant, window - INTERVAL 1 HOUR AS last, sum(facts) AS facts FROM fact_hours GROUP BY tenant, last) AS a
    ON e.tenant = a.tenant AND e.window = a.last
WHERE e.facts_before != b.facts OR e.facts_after != a.facts
ORDER BY window, tenant
