-- How many hours of a period are settled, and how many of them with another table of dialects than this one?
-- Where no period is asked for, the first and the last of those give it.
SELECT
    count() AS hours,
    countIf(version != {version:String}) AS outdated_hours,
    minIf(window, version != {version:String}) AS first_outdated,
    maxIf(window, version != {version:String}) AS last_outdated
FROM (
    SELECT tenant, window, argMax(versions['dialects'], settlement) AS version
    FROM settlements
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    GROUP BY tenant, window
)
