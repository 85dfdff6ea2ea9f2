-- How old was the oldest input of each inference at that moment, by workflow and model?
-- An inference without a known age counts, but only in `inferences`.
-- A thousand workflows and models have rows of their own; all others are told as one, whose name says how many they are.
WITH
    inferred AS (
        SELECT inference.workflow AS workflow, inference.model AS model, age_ns
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
        LEFT JOIN (
            SELECT tenant, trace_id, inference_span_id AS span_id, maxOrNull(age_ns) AS age_ns
            FROM lineage
            WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            GROUP BY tenant, trace_id, span_id
        ) AS input USING (tenant, trace_id, span_id)
    ),

    named AS (
        SELECT workflow, model FROM inferred
        GROUP BY workflow, model
        ORDER BY count() DESC, workflow, model
        LIMIT 1000
    ),

    (SELECT concat('and ', toString(uniqExact(workflow, model) - 1000), ' more') FROM inferred) AS others
SELECT
    if((inferred.workflow, inferred.model) IN named, inferred.workflow, others) AS workflow,
    if((inferred.workflow, inferred.model) IN named, inferred.model, '') AS model,
    count() AS inferences,
    count(age_ns) AS inferences_with_age,
    minOrNull(age_ns) AS age_min_ns,
    quantileExactOrNull(0.5)(age_ns) AS age_p50_ns,
    quantileExactOrNull(0.95)(age_ns) AS age_p95_ns,
    maxOrNull(age_ns) AS age_max_ns
FROM inferred
GROUP BY workflow, model
ORDER BY inferences DESC, workflow, model
