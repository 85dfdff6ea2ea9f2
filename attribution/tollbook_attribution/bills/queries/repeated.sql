-- Which files have lines of other files again, and which all of them?
SELECT a.file AS file, b.file AS other, count() AS lines, lines = any(a.of) AND lines = any(b.of) AS whole, min((a.line, b.line)) AS at,
    least(any(a.of), any(b.of)) AS fewest
FROM (
    SELECT file, line, digest, count() OVER (PARTITION BY file) AS of FROM bill_texts
    WHERE import_id = {import_id:UInt64} AND arrayExists(n -> match(n, '[1-9]'), arraySlice(numbers, 1, 2))
) AS a
INNER JOIN (
    SELECT file, line, digest, count() OVER (PARTITION BY file) AS of FROM bill_texts
    WHERE import_id = {import_id:UInt64} AND arrayExists(n -> match(n, '[1-9]'), arraySlice(numbers, 1, 2))
) AS b ON a.digest = b.digest
WHERE a.file > b.file
GROUP BY file, other
ORDER BY file, other
LIMIT 20
