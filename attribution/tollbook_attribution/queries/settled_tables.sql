-- Which tables hold rows of settlements?
SELECT DISTINCT c.table AS name
FROM system.columns AS c
WHERE c.database = currentDatabase() AND c.name = 'settlement' AND (endsWith(c.table, '_settled') OR endsWith(c.table, '_settled_local'))
