-- What did calls use whose spans a sampler dropped, where no counter tells? The state of a span says which share of all traces was kept (OpenTelemetry's
-- `ot=th`, before that `ot=p`), so that it stands for others like it: what these used is an estimate, a call of no request for each owner and model.
-- Counters know better: where one tells of a service and model, states are not asked. A share below a millionth is no share.
SELECT 1 AS found
FROM spans
WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
    AND trace_state != '' AND match(trace_state, '(?:^|,)ot=[^,]*(?:th:[1-9a-f]|th:0+[1-9a-f]|p:[1-9])')
LIMIT 1;

INSERT INTO work_spans (
    settlement, trace_id, span_id, parent_span_id, name, kind, start_time, duration_ns, scope_name, service_name, told, workflow, team, project, feature,
    customer, environment
)
WITH
states AS (
    SELECT
        trace_id, span_id,
        extract(trace_state, '(?:^|,)ot=[^,]*th:([0-9a-f]{1,14})') AS threshold,
        extract(trace_state, '(?:^|,)ot=[^,]*p:([0-9]{1,2})') AS exponent,
        if(
            threshold != '',
            72057594037927936 / (72057594037927936 - toFloat64(reinterpretAsUInt64(reverse(unhex(rightPad(threshold, 14, '0')))))),
            pow(2, toUInt8OrZero(exponent))
        ) AS stands_for
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
        AND trace_state != '' AND match(trace_state, '(?:^|,)ot=[^,]*(?:th:|p:)')
        AND stands_for > 1 AND stands_for <= 1000000
),
counted AS (
    SELECT trace_id, span_id, provider, request_model, response_model, models, buckets
    FROM work_calls
    WHERE settlement = {settlement:UInt64} AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_merged WHERE settlement = {settlement:UInt64})
        AND NOT local_cache_hit
    UNION ALL
    SELECT trace_id, span_id, provider, request_model, response_model, models, buckets
    FROM work_merged
    WHERE settlement = {settlement:UInt64} AND NOT local_cache_hit
),
thinned AS (
    SELECT
        s.service_name AS service_name, s.workflow AS workflow, s.team AS team, s.project AS project, s.feature AS feature, s.customer AS customer,
        s.environment AS environment, c.provider AS provider, c.request_model AS request_model, c.response_model AS response_model,
        any(c.models) AS names,
        sumMap(CAST(mapKeys(c.buckets), 'Array(String)'), arrayMap(n -> n * (t.stands_for - 1), mapValues(c.buckets))) AS more
    FROM (SELECT * FROM counted WHERE (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})) AS c
    INNER JOIN states AS t ON c.trace_id = t.trace_id AND c.span_id = t.span_id
    INNER JOIN (SELECT * FROM work_spans WHERE settlement = {settlement:UInt64}) AS s ON c.trace_id = s.trace_id AND c.span_id = s.span_id
    GROUP BY service_name, workflow, team, project, feature, customer, environment, provider, request_model, response_model
)
SELECT
    {settlement:UInt64} AS settlement,
    toFixedString('', 16) AS trace_id,
    toFixedString(substring(toString(sipHash128('thinned', service_name, workflow, team, project, feature, customer, environment, provider, request_model, response_model)), 1, 8), 8)
        AS span_id,
    toFixedString('', 8) AS parent_span_id,
    'calls that were not sampled' AS name,
    'client' AS kind,
    toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
    0 AS duration_ns,
    'thinned' AS scope_name,
    service_name,
    mapFromArrays(
        arrayConcat(arrayMap(item -> concat('#', item), more.1), ['gen_ai.provider.name', 'gen_ai.request.model', 'gen_ai.response.model']),
        arrayConcat(arrayMap(n -> toString(toInt64(round(n))), more.2), [toString(provider), toString(request_model), toString(response_model)])
    ) AS told,
    workflow, team, project, feature, customer, environment
FROM thinned
WHERE (service_name, names[-1]) NOT IN (
    SELECT service_name, lower(splitByChar('/', model)[-1]) AS name FROM work_told_elsewhere WHERE settlement = {settlement:UInt64} AND source = 'metrics'
) AND (service_name, names[1]) NOT IN (
    SELECT service_name, lower(splitByChar('/', model)[-1]) AS name FROM work_told_elsewhere WHERE settlement = {settlement:UInt64} AND source = 'metrics'
);

INSERT INTO work_merged (
    settlement, trace_id, span_id, call_class, provider, request_model, response_model, models, has_usage, usage_score, buckets, cache_told,
    total_input_tokens, flags, notes, fresh_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    'leaf' AS call_class,
    told['gen_ai.provider.name'] AS provider,
    told['gen_ai.request.model'] AS request_model,
    told['gen_ai.response.model'] AS response_model,
    arrayFilter(m -> m != '', [request_model, response_model]) AS models,
    true AS has_usage,
    2 AS usage_score,
    CAST(mapFilter((k, v) -> v > 0, mapApply((k, v) -> (substring(k, 2), toInt64OrZero(v)), mapFilter((k, v) -> startsWith(k, '#'), told))), 'Map(LowCardinality(String), Int64)') AS buckets,
    true AS cache_told,
    toInt64(0) AS total_input_tokens,
    ['sampled_rest', 'estimated'] AS flags,
    ['what calls that were not sampled used, by the share that the state of their like tells'] AS notes,
    arraySum(mapValues(mapFilter((k, v) -> startsWith(k, 'input'), buckets))) AS fresh_tokens,
    arraySum(mapValues(mapFilter((k, v) -> startsWith(k, 'cache_read'), buckets))) AS cache_read_tokens,
    arraySum(mapValues(mapFilter((k, v) -> startsWith(k, 'cache_write'), buckets))) AS cache_write_tokens,
    arraySum(mapValues(mapFilter((k, v) -> startsWith(k, 'output'), buckets))) AS output_tokens,
    buckets['reasoning'] AS reasoning_tokens
FROM work_spans
WHERE settlement = {settlement:UInt64} AND trace_id = toFixedString('', 16) AND scope_name = 'thinned'
