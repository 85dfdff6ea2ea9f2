-- What does a request of each workflow take in the median, and what does it cost?
-- Time inside the model is the own time of the model calls in the process that holds the model, or, where no such process reports, of the
-- remote calls; everything around it is the execution tax. A model that runs in another service than the request's is remote.
-- A thousand workflows and models have rows of their own; all others are told as one, whose name says how many they are.
WITH model_calls AS (
    SELECT
        k.tenant AS tenant,
        k.trace_id AS trace_id,
        countIf(k.location = 'in_process') AS in_process,
        countIf(k.location = 'remote') AS remote,
        groupUniqArray(k.service_name) AS services,
        if(in_process > 0, sumIf(c.self_ns, k.location = 'in_process'), sum(c.self_ns)) AS model_ns,
        argMax(k.model, (k.location = 'in_process', c.self_ns)) AS model
    FROM calls AS k
    INNER JOIN (
        SELECT tenant, trace_id, span_id, self_ns FROM span_costs
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    ) AS c USING (tenant, trace_id, span_id)
    WHERE k.window >= {since:DateTime('UTC')} AND k.window < {until:DateTime('UTC')}
    GROUP BY tenant, trace_id
),

measured AS (
    SELECT
        r.*,
        model_calls.remote AS remote,
        model_calls.in_process AS in_process,
        model_calls.services AS services,
        model_calls.model_ns AS model_ns,
        model_calls.model AS asked_model
    FROM (
        SELECT * FROM requests
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            AND service_name = ifNull({service:Nullable(String)}, service_name)
            AND workflow = ifNull({workflow:Nullable(String)}, workflow)
            AND team = ifNull({team:Nullable(String)}, team)
            AND project = ifNull({project:Nullable(String)}, project)
            AND feature = ifNull({feature:Nullable(String)}, feature)
            AND customer = ifNull({customer:Nullable(String)}, customer)
            AND environment = ifNull({environment:Nullable(String)}, environment)
    ) AS r
    LEFT JOIN model_calls USING (tenant, trace_id)
),

named AS (
    SELECT workflow, asked_model FROM measured
    GROUP BY workflow, asked_model
    ORDER BY count() DESC, workflow, asked_model
    LIMIT 1000
),

(SELECT concat('and ', toString(uniqExact(workflow, asked_model) - 1000), ' more') FROM measured) AS others
SELECT
    if((r.workflow, r.asked_model) IN named, r.workflow, others) AS workflow,
    if((r.workflow, r.asked_model) IN named, r.asked_model, '') AS model,
    multiIf(remote > 0 OR arrayExists(s -> s != r.service_name, services), 'remote', in_process > 0, 'in_process', '') AS location,
    uniqExact(tenant, trace_id) AS requests,
    quantileExactIfOrNull(0.5)(duration_ns, duration_ns > 0) AS duration_p50_ns,
    quantileExactIfOrNull(0.95)(duration_ns, duration_ns > 0) AS duration_p95_ns,
    quantileExactIfOrNull(0.5)(model_ns, model != '' AND duration_ns > 0) AS model_p50_ns,
    quantileExactIfOrNull(0.5)(duration_ns - model_ns, model != '' AND duration_ns > 0) AS tax_p50_ns,
    quantileExactOrNull(0.5)(handoff_bytes) AS bytes_p50,
    quantileExactOrNull(0.5)(hops) AS hops_p50,
    sum(r.unpriced_calls) AS unpriced_calls,
    sum(r.cost_usd) AS cost_usd,
    sum(r.cost_usd) / nullIf(uniqExactIf((tenant, trace_id), isNotNull(r.cost_usd)), 0) AS cost_per_request_usd,
    lower(hex(any(trace_id))) AS example_trace_id
FROM measured AS r
GROUP BY workflow, model, location
ORDER BY requests DESC, workflow, model, location
