-- Which hours of which tenants hold facts that their settlement has not seen, and how many facts has it seen?
-- The hour that runs is never final; once settled, it is as far as it can be, and says nothing of the answer.
SELECT
    facts.window AS window,
    facts.arrived AS facts,
    s.facts AS facts_settled
FROM (
    SELECT tenant, window, sum(fact_hours.facts) AS arrived
    FROM fact_hours
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    GROUP BY tenant, window
) AS facts
LEFT JOIN (
    SELECT tenant, window, argMax(settlements.facts, settlement) AS facts
    FROM settlements
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    GROUP BY tenant, window
) AS s ON s.tenant = facts.tenant AND s.window = facts.window
WHERE facts.arrived != s.facts AND (s.facts = 0 OR facts.window + INTERVAL 1 HOUR <= now())
ORDER BY window
