-- Which settlements are in force in this day?
SELECT settlement
FROM current_settlements
WHERE tenant = {tenant:String} AND window >= {day:DateTime('UTC')} AND window < {day:DateTime('UTC')} + INTERVAL 1 DAY
