-- How many days does each fact table keep its rows? 0 for ever.
SELECT name, toUInt32OrZero(extract(create_table_query, 'TTL received_at \\+ toIntervalDay\\((?:_CAST\\()?(\\d+)')) AS days
FROM system.tables
WHERE database = currentDatabase() AND name IN ('spans', 'span_content', 'metrics', 'logs')
ORDER BY name
