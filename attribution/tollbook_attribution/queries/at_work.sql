-- Which work tables hold rows, and of which settlements?
SELECT table AS name, toUInt64(partition) AS settlement
FROM system.parts
WHERE database = currentDatabase() AND active AND startsWith(table, 'work_')
GROUP BY table, partition
