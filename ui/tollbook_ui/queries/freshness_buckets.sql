-- How many inferences had an oldest input younger than a second, a minute, an hour, a day, a week, a month, a year, or older?
-- Every bucket is there, so that each begins where the one before it ends.
SELECT nullIf(edge, 0) AS upper_ns, sum(counted) AS inferences
FROM (
    SELECT
        arrayFirst(
            upper -> age_ns < upper,
            [1000000000, 60000000000, 3600000000000, 86400000000000, 604800000000000, 2592000000000000, 31536000000000000]
        ) AS edge,
        count() AS counted
    FROM (
        SELECT * FROM calls
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            AND role = 'counted'
            AND service_name = ifNull({service:Nullable(String)}, service_name)
            AND workflow = ifNull({workflow:Nullable(String)}, workflow)
            AND team = ifNull({team:Nullable(String)}, team)
            AND project = ifNull({project:Nullable(String)}, project)
            AND feature = ifNull({feature:Nullable(String)}, feature)
            AND customer = ifNull({customer:Nullable(String)}, customer)
            AND environment = ifNull({environment:Nullable(String)}, environment)
    ) AS inference
    INNER JOIN (
        SELECT tenant, trace_id, inference_span_id AS span_id, maxOrNull(age_ns) AS age_ns
        FROM lineage
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        GROUP BY tenant, trace_id, span_id
    ) AS input USING (tenant, trace_id, span_id)
    WHERE age_ns IS NOT NULL
    GROUP BY edge
    UNION ALL
    SELECT
        arrayJoin(
            [1000000000, 60000000000, 3600000000000, 86400000000000, 604800000000000, 2592000000000000, 31536000000000000, 0]
        ) AS edge,
        0 AS counted
)
GROUP BY edge
ORDER BY upper_ns ASC NULLS LAST
