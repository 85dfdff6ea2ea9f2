-- What do the first rows of a staged file say?
SELECT row, fields, fromUnixTimestamp64Nano(assumeNotNull(start_ns), 'UTC') AS start_time
FROM usage_rows
WHERE import_id = {import_id:UInt64} AND isNotNull(start_ns)
ORDER BY row
LIMIT {limit:UInt32}
