-- Which machines were heard of in the period, and do their hours have a rate? Those without come first.
SELECT
    host,
    argMax(host_type, window) AS host_type,
    argMax(region, window) AS cloud_region,
    count(hosts.amount_usd) > 0 AS rated,
    sumOrNull(hosts.amount_usd) AS amount_usd
FROM hosts
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
GROUP BY host
ORDER BY rated, host
