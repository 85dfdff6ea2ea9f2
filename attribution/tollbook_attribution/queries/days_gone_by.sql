-- Which sums of days hold no more?
SELECT DISTINCT made_from
FROM day_costs_settled
WHERE (tenant, window, made_from) NOT IN (SELECT tenant, day, made_from FROM settled_days)
