-- What is known of these hours: how many facts they have, and their settlement in force?
SELECT
    toDateTime(tupleElement(asked, 2), 'UTC') AS window,
    tupleElement(asked, 1) AS tenant,
    ifNull(f.facts, 0) AS facts,
    ifNull(s.newest, 0) AS newest
FROM (SELECT arrayJoin(arrayZip({tenants:Array(String)}, {seconds:Array(UInt32)})) AS asked) AS a
LEFT ANY JOIN (SELECT tenant, window, sum(facts) AS facts FROM fact_hours GROUP BY tenant, window) AS f
    ON tupleElement(asked, 1) = f.tenant AND tupleElement(asked, 2) = toUnixTimestamp(f.window)
LEFT ANY JOIN (SELECT tenant, window, max(settlement) AS newest FROM settlements GROUP BY tenant, window) AS s
    ON tupleElement(asked, 1) = s.tenant AND tupleElement(asked, 2) = toUnixTimestamp(s.window)
ORDER BY window, tenant
