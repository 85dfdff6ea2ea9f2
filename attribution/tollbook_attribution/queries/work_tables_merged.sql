-- Which work tables have parts merged yet? Their rows go with the hour, so that merging them is for nothing.
SELECT name
FROM system.tables
WHERE database = currentDatabase() AND startsWith(name, 'work_') AND endsWith(engine, 'MergeTree')
    AND position(engine_full, 'max_bytes_to_merge_at_max_space_in_pool') = 0
ORDER BY name
