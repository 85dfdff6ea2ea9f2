-- How many days does each fact table keep its rows? 0 for ever. On a cluster `table` holds this node's rows, and `name` those of all.
SELECT
    name AS table,
    replaceRegexpOne(name, '_local$', '') AS facts,
    toUInt32OrZero(extract(create_table_query, 'TTL received_at \\+ toIntervalDay\\((?:_CAST\\()?(\\d+)')) AS days
FROM system.tables
WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND facts IN ('spans', 'long_spans', 'span_content', 'metrics', 'logs')
ORDER BY name
