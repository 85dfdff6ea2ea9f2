-- How many requests were there in each hour or day, and how long did they take?
SELECT
    if({step:String} = 'hour', window, toDateTime(toStartOfDay(window, 'UTC'), 'UTC')) AS time,
    uniqExact(tenant, trace_id) AS requests,
    uniqExactIf((tenant, trace_id), status = 'error') AS errors,
    quantileExactIfOrNull(0.5)(duration_ns, NOT continued AND duration_ns > 0) AS duration_p50_ns,
    quantileExactIfOrNull(0.95)(duration_ns, NOT continued AND duration_ns > 0) AS duration_p95_ns,
    quantileExactOrNull(0.5)(input_age_ns) AS input_age_p50_ns
FROM requests
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
    AND project = ifNull({project:Nullable(String)}, project)
    AND feature = ifNull({feature:Nullable(String)}, feature)
    AND customer = ifNull({customer:Nullable(String)}, customer)
    AND environment = ifNull({environment:Nullable(String)}, environment)
GROUP BY time
ORDER BY time
