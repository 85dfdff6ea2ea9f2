-- Which days are over, and not added up as they are settled now? One of a single hour reads as fast as that hour.
SELECT tenant, day, made_from
FROM settled_days
WHERE hours > 1 AND day < toStartOfDay({now:DateTime('UTC')})
    AND (tenant, day, made_from) NOT IN (SELECT tenant, window, made_from FROM day_costs_settled)
ORDER BY day, tenant
