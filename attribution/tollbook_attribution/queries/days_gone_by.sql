-- Which sums of days hold no more?
SELECT DISTINCT settlements
FROM day_costs_settled
WHERE (tenant, window, settlements) NOT IN (SELECT tenant, day, settlements FROM settled_days)
