-- Which days are over, and not added up as they are settled now? One of a single hour reads as fast as that hour.
SELECT tenant, day, settlements
FROM settled_days
WHERE hours > 1 AND day < toStartOfDay({now:DateTime('UTC')})
    AND (tenant, day, settlements) NOT IN (SELECT tenant, window, settlements FROM day_costs_settled)
ORDER BY day, tenant
