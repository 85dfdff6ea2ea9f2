-- Which settled hours would see something else than they did of the hours that spans began in which ran on into them?
SELECT e.tenant AS tenant, e.window AS window
FROM (
    SELECT tenant, window, argMax(digest, looked_at) AS now, groupArray((settlement, digest)) AS seen
    FROM long_spans_settled
    GROUP BY tenant, window
) AS e
INNER JOIN current_settlements AS s ON e.tenant = s.tenant AND e.window = s.window
WHERE arrayExists(of -> of.1 = s.settlement AND of.2 != e.now, e.seen)
ORDER BY window, tenant
