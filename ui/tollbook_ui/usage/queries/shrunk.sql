-- Which buckets tell of less than is known of them? What was taken of them is not taken back.
SELECT row, fields['#less'] AS text
FROM usage_rows
WHERE import_id = {into_id:UInt64} AND fields['#less'] != ''
ORDER BY row
LIMIT {limit:UInt32}
