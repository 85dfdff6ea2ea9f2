-- Which requests were there in the period, in the order asked for? With a trace id: that one.
-- A request of 0 ns was not measured, such as one known from a usage file or a log. The hours of a request that runs into another one are added up; one id in two tenants is two requests.
SELECT
    lower(hex(trace_id)) AS trace_id,
    min(start_time) AS start_time,
    nullIf(greatest(toUnixTimestamp64Nano(max(end_time)) - toUnixTimestamp64Nano(min(requests.start_time)), 0), 0) AS duration_ns,
    argMin(name, (continued, requests.start_time)) AS name,
    argMin(service_name, (continued, requests.start_time)) AS service_name,
    argMin(workflow, (continued, requests.start_time)) AS workflow,
    argMin(team, (continued, requests.start_time)) AS team,
    argMin(project, (continued, requests.start_time)) AS project,
    argMin(feature, (continued, requests.start_time)) AS feature,
    argMin(customer, (continued, requests.start_time)) AS customer,
    argMin(environment, (continued, requests.start_time)) AS environment,
    toString(max(status)) AS status,
    sum(span_count) AS span_count,
    sum(inference_count) AS inference_count,
    sum(handoff_count) AS handoff_count,
    sum(handoff_bytes) AS handoff_bytes,
    sum(hops) AS hops,
    maxOrNull(input_age_ns) AS input_age_ns,
    sum(cost_usd) AS cost_usd,
    sum(unpriced_calls) AS unpriced_calls,
    max(simulated) AS simulated,
    argMin(site, (continued, requests.start_time)) AS site,
    argMin(tier, (continued, requests.start_time)) AS tier
FROM requests
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND requests.service_name = ifNull({service:Nullable(String)}, requests.service_name)
    AND requests.workflow = ifNull({workflow:Nullable(String)}, requests.workflow)
    AND requests.team = ifNull({team:Nullable(String)}, requests.team)
    AND requests.project = ifNull({project:Nullable(String)}, requests.project)
    AND requests.feature = ifNull({feature:Nullable(String)}, requests.feature)
    AND requests.customer = ifNull({customer:Nullable(String)}, requests.customer)
    AND requests.environment = ifNull({environment:Nullable(String)}, requests.environment)
    AND requests.trace_id = ifNull(toFixedString(unhex({trace_id:Nullable(String)}), 16), requests.trace_id)
GROUP BY requests.tenant, requests.trace_id
ORDER BY
    if({order:String} = 'oldest', start_time, NULL) ASC NULLS LAST,
    if({order:String} = 'cost', cost_usd, NULL) DESC NULLS LAST,
    if({order:String} = 'duration', duration_ns, NULL) DESC NULLS LAST,
    if({order:String} = 'bytes', handoff_bytes, NULL) DESC NULLS LAST,
    if({order:String} = 'age', input_age_ns, NULL) DESC NULLS LAST,
    start_time DESC,
    trace_id,
    requests.tenant
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
