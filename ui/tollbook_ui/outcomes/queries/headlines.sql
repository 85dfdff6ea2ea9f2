-- How fast, how fresh, how dear and how good was each workflow, hour by hour or day by day?
SELECT
    if({step:String} = 'hour', window, toDateTime(toStartOfDay(window, 'UTC'), 'UTC')) AS time,
    r.workflow AS workflow,
    count() AS requests,
    quantileExactIfOrNull(0.5)(r.duration_ns, r.duration_ns > 0) AS duration_p50_ns,
    quantileExactOrNull(0.5)(r.input_age_ns) AS input_age_p50_ns,
    if(count(r.cost_usd) = 0, NULL, sum(ifNull(r.cost_usd, 0)) / count(r.cost_usd)) AS usd_per_request,
    avgOrNull(j.value) AS score_mean,
    if(countIf(j.scores > 0) = 0, NULL, countIf(j.scores > 0 AND j.bad = 0) / countIf(j.scores > 0)) AS good_ratio
FROM (
    SELECT window, tenant, trace_id, workflow, duration_ns, input_age_ns, cost_usd FROM requests
    WHERE NOT continued AND window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        AND service_name = ifNull({service:Nullable(String)}, service_name)
        AND workflow = ifNull({workflow:Nullable(String)}, workflow)
        AND team = ifNull({team:Nullable(String)}, team)
        AND project = ifNull({project:Nullable(String)}, project)
        AND feature = ifNull({feature:Nullable(String)}, feature)
        AND customer = ifNull({customer:Nullable(String)}, customer)
        AND environment = ifNull({environment:Nullable(String)}, environment)
) AS r
LEFT JOIN (
    SELECT tenant, trace_id, avg(scores.value) AS value, count() AS scores, countIf(NOT good) AS bad
    FROM scores
    GROUP BY tenant, trace_id
) AS j ON r.tenant = j.tenant AND r.trace_id = j.trace_id
GROUP BY time, workflow
ORDER BY time, workflow
LIMIT 20000
