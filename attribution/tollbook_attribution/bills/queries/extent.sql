-- How many lines did each file of an import bring?
SELECT file, count() AS lines, max(line) AS last FROM bill_texts WHERE import_id = {import_id:UInt64} GROUP BY file ORDER BY file
