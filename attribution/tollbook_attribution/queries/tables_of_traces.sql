-- Which tables that a settlement reads or writes hold rows of traces?
SELECT DISTINCT table AS name
FROM system.columns
WHERE database = currentDatabase() AND name = 'trace_id' AND (startsWith(table, 'work_') OR endsWith(table, '_settled'))
ORDER BY name
