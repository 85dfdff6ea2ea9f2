-- Which files of one bill have lines of each other again, to the last character or but for what was charged?
-- Two versions of a bill tell of the same things at the same times, with other amounts. What tells of the same thing more than once within one file says nothing.
WITH told AS (
    SELECT
        file, line, digest,
        cityHash64(
            provider_name, billing_account_id, times, sub_account_id, charge_category, charge_class, charge_description, line_type, service_name, region,
            availability_zone, resource_id, resource_name, sku_id, sku_price_id, sku_meter, pricing_category, consumed_unit, commitment_id, tags
        ) AS thing,
        count() OVER (PARTITION BY file) AS of
    FROM bill_texts
    WHERE import_id = {import_id:UInt64} AND arrayExists(n -> match(n, '[1-9]'), arraySlice(numbers, 1, 2))
),
alike AS (SELECT file, digest, count() AS times_there, min(line) AS line, any(of) AS of FROM told GROUP BY file, digest),
things AS (SELECT file, thing, min(line) AS line, any(of) AS of, any(digest) AS digest FROM told GROUP BY file, thing HAVING count() = 1)
SELECT
    file, other, sum(pairs.lines) AS lines, max(pairs.fewest) AS fewest, max(pairs.whole) AS whole, min(pairs.at) AS at,
    sum(pairs.things) AS things, minIf(pairs.at, pairs.things > 0) AS thing_at
FROM (
    SELECT
        a.file AS file, b.file AS other, sum(least(a.times_there, b.times_there)) AS lines, least(any(a.of), any(b.of)) AS fewest,
        lines = any(a.of) AND lines = any(b.of) AS whole, min((a.line, b.line)) AS at, 0 AS things
    FROM alike AS a
    INNER JOIN alike AS b ON a.digest = b.digest
    WHERE a.file > b.file
    GROUP BY file, other
    UNION ALL
    SELECT
        a.file AS file, b.file AS other, 0 AS lines, least(any(a.of), any(b.of)) AS fewest, false AS whole, min((a.line, b.line)) AS at, count() AS things
    FROM things AS a
    INNER JOIN things AS b ON a.thing = b.thing
    WHERE a.file > b.file AND a.digest != b.digest
    GROUP BY file, other
) AS pairs
GROUP BY file, other
ORDER BY file, other
LIMIT 20
