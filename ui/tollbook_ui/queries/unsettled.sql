-- Which hours hold facts that their settlement has not seen?
SELECT
    facts.window AS window,
    facts.arrived AS facts,
    s.facts AS facts_settled
FROM (
    SELECT window, sum(fact_hours.facts) AS arrived FROM fact_hours GROUP BY window
) AS facts
LEFT JOIN (
    SELECT window, argMax(settlements.facts, settlement) AS facts FROM settlements GROUP BY window
) AS s ON s.window = facts.window
WHERE facts.arrived != s.facts
ORDER BY window
