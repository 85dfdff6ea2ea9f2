-- Which tables that a settlement reads or writes hold rows of traces?
SELECT DISTINCT c.table AS name
FROM system.columns AS c
WHERE c.database = currentDatabase() AND c.name = 'trace_id' AND (startsWith(c.table, 'work_') OR endsWith(c.table, '_settled'))
ORDER BY name
