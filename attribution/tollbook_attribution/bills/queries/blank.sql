-- How many lines of a file tell of no cost, and which is the first of them?
SELECT count() AS lines, min(line) AS first
FROM bill_texts
WHERE import_id = {import_id:UInt64} AND file = {file:UInt32} AND numbers[1] = '0' AND numbers[2] = ''
