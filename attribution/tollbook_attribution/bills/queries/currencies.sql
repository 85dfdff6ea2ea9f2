-- Which currencies has a bill of an import beside that of its first line, and where does each stand first, in whichever file?
SELECT found.3 AS file, found.4 AS line, found.1 AS value, seen[1].3 AS first_file, seen[1].4 AS first_line, seen[1].2 AS first_currency
FROM (
    SELECT arraySort(x -> (x.3, x.4), groupArray((told, currency, at.1, at.2))) AS seen
    FROM (
        SELECT
            provider_name, billing_account_id, times[1] AS period, upper(billing_currency) AS currency, min((file, line)) AS at,
            argMin(billing_currency, (file, line)) AS told
        FROM bill_texts
        WHERE import_id = {import_id:UInt64} AND billing_currency != ''
        GROUP BY provider_name, billing_account_id, period, currency
    )
    GROUP BY provider_name, billing_account_id, period
)
ARRAY JOIN arraySlice(seen, 2) AS found
ORDER BY file, line
LIMIT {limit:UInt32}
