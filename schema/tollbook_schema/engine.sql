-- What does the engine know by name: table functions, functions that know more than their arguments, databases other than this one?
SELECT
    (SELECT groupUniqArray(lower(name)) FROM system.table_functions) AS table_functions,
    (
        SELECT groupUniqArray(lower(name)) FROM system.functions
        WHERE NOT is_aggregate AND (ifNull(deterministic, 0) = 0 OR categories = 'AI' OR lower(name) LIKE 'ai%')
    ) AS knowing_functions,
    (SELECT groupUniqArray(lower(name)) FROM system.databases WHERE name != currentDatabase()) AS databases
