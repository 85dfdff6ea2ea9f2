-- Which hours of which tenants hold facts that their settlement has not seen? A settled hour whose facts have begun to expire stays so.
SELECT
    facts.window AS window,
    facts.arrived AS facts,
    s.facts AS facts_settled
FROM (
    SELECT tenant, window, sum(fact_hours.facts) AS arrived FROM fact_hours GROUP BY tenant, window
) AS facts
LEFT JOIN (
    SELECT tenant, window, argMax(settlements.facts, settlement) AS facts FROM settlements GROUP BY tenant, window
) AS s ON s.tenant = facts.tenant AND s.window = facts.window
WHERE facts.arrived != s.facts AND (s.facts = 0 OR facts.window >= {oldest_whole:DateTime('UTC')})
ORDER BY window
