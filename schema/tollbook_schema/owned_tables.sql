-- Which tables hold rows, and which of them say whose each row is?
-- A view shows what its tables show; a materialized view is read past the name of its table, so it counts as a table.
SELECT
    t.name AS name,
    t.name IN (
        SELECT table FROM system.columns
        WHERE database = currentDatabase() AND name = 'tenant'
    ) AND t.name != 'api_keys' AS owned
FROM system.tables AS t
WHERE t.database = currentDatabase() AND t.engine != 'View'
