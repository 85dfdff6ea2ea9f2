-- What do counters tell of calls whose spans were not kept? A sampler keeps one span in ten, the counters of the service count all ten. Where the spans of a
-- service and model tell of half of what its counters do, or less, the rest is a call of no request. Above half it is not added: exporters are
-- late, and an hour's points are not quite its spans. What servers and gateways count is compared with spans of all services.
-- Our own counters say what was not sampled, hour by hour: that is the rest, whatever it is.
-- Generated from templates/29_sampled.sql.j2 by `make generate`.
-- Where there is: work_told_elsewhere
INSERT INTO work_merged (
    settlement, trace_id, span_id, call_class, provider, request_model, response_model, models, has_usage, usage_score, buckets, cache_told,
    total_input_tokens, flags, notes, fresh_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens
)
WITH
counters AS (
    SELECT
        if(aside = '', toString(service_name), '') AS of_service,
        if(empty(names), '', names[1]) AS name,
        min((span_id, parent_span_id)) AS ids,
        sum(toInt64OrZero(told['gen_ai.usage.input_tokens'])) AS input,
        sum(toInt64OrZero(told['gen_ai.usage.cache_read.input_tokens'])) AS cache_read,
        sum(toInt64OrZero(told['gen_ai.usage.cache_write.input_tokens'])) AS cache_write,
        sum(toInt64OrZero(told['gen_ai.usage.output_tokens'])) AS output,
        sum(toInt64OrZero(told['gen_ai.usage.reasoning.output_tokens'])) AS reasoning,
        max(scope_name = 'tollbook.unsampled') AS exact,
        sumIf(toInt64OrZero(told['gen_ai.usage.input_tokens']), scope_name = 'tollbook.unsampled') AS unsampled_input,
        sumIf(toInt64OrZero(told['gen_ai.usage.cache_read.input_tokens']), scope_name = 'tollbook.unsampled') AS unsampled_cache_read,
        sumIf(toInt64OrZero(told['gen_ai.usage.cache_write.input_tokens']), scope_name = 'tollbook.unsampled') AS unsampled_cache_write,
        sumIf(toInt64OrZero(told['gen_ai.usage.output_tokens']), scope_name = 'tollbook.unsampled') AS unsampled_output,
        sumIf(toInt64OrZero(told['gen_ai.usage.reasoning.output_tokens']), scope_name = 'tollbook.unsampled') AS unsampled_reasoning
    FROM work_told_elsewhere
    WHERE settlement = {settlement:UInt64} AND source = 'metrics'
        AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {settlement:UInt64} AND trace_id = toFixedString('', 16))
    GROUP BY of_service, name
),
spoken AS (
    SELECT
        c.of_service AS of_service,
        c.name AS name,
        max((w.provider, w.request_model, w.response_model)) AS names,
        sum(w.total_input_tokens) AS input,
        sum(arraySum(mapValues(mapFilter((k, v) -> startsWith(k, 'cache_read'), w.buckets)))) AS cache_read,
        sum(arraySum(mapValues(mapFilter((k, v) -> startsWith(k, 'cache_write'), w.buckets)))) AS cache_write,
        sum(arraySum(mapValues(mapFilter((k, v) -> startsWith(k, 'output') OR k = 'reasoning', w.buckets)))) AS output,
        sum(w.buckets['reasoning']) AS reasoning
    FROM (
        SELECT trace_id, span_id, provider, request_model, response_model, models, total_input_tokens, buckets, 1 AS one
        FROM work_calls
        WHERE settlement = {settlement:UInt64} AND trace_id != toFixedString('', 16)
            AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
    ) AS w
    INNER JOIN (
        SELECT trace_id, span_id, service_name FROM work_spans
        WHERE settlement = {settlement:UInt64} AND (
            service_name IN (SELECT of_service FROM counters) OR (SELECT max(of_service = '') FROM counters)
        )
    ) AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
    INNER JOIN (SELECT of_service, name, 1 AS one FROM counters) AS c ON c.one = w.one
    WHERE c.of_service IN ('', s.service_name) AND (c.name = '' OR has(arrayMap(
        m -> replaceRegexpOne(replaceRegexpOne(lower(splitByChar('/', m)[-1]), {before_names:String}, ''), {after_names:String}, ''),
        w.models
    ), c.name))
    GROUP BY of_service, name
),
rests AS (
    SELECT
        c.ids AS ids,
        s.names AS names,
        s.name AS name,
        if(c.exact, c.unsampled_cache_read, greatest(c.cache_read - s.cache_read, 0)) AS cache_read_rest,
        if(c.exact, c.unsampled_cache_write, greatest(c.cache_write - s.cache_write, 0)) AS cache_write_rest,
        greatest(if(c.exact, c.unsampled_input, c.input - s.input), cache_read_rest + cache_write_rest) AS input_rest,
        if(c.exact, c.unsampled_reasoning, greatest(c.reasoning - s.reasoning, 0)) AS reasoning_rest,
        greatest(if(c.exact, c.unsampled_output, c.output - s.output), reasoning_rest) AS output_rest
    FROM counters AS c
    INNER JOIN spoken AS s ON c.of_service = s.of_service AND c.name = s.name
    WHERE c.exact OR (s.input + s.output > 0 AND 2 * (s.input + s.output) <= c.input + c.output)
)
SELECT
    {settlement:UInt64} AS settlement,
    toFixedString('', 16) AS trace_id,
    ids.1 AS span_id,
    'leaf' AS call_class,
    names.1 AS provider,
    names.2 AS request_model,
    names.3 AS response_model,
    arrayDistinct(arrayFilter(m -> m != '', [lower(splitByChar('/', toString(names.2))[-1]), lower(splitByChar('/', toString(names.3))[-1])])) AS models,
    true AS has_usage,
    2 AS usage_score,
    CAST(mapFilter((k, v) -> v > 0, map(
        'input', input_rest - cache_read_rest - cache_write_rest, 'cache_read', cache_read_rest, 'cache_write', cache_write_rest,
        'output', output_rest - reasoning_rest, 'reasoning', reasoning_rest
    )), 'Map(LowCardinality(String), Int64)') AS buckets,
    true AS cache_told,
    toInt64(0) AS total_input_tokens,
    ['from_metrics', 'sampled_rest'] AS flags,
    ['what counters tell of beyond the spans that were kept'] AS notes,
    input_rest - cache_read_rest - cache_write_rest AS fresh_tokens,
    cache_read_rest AS cache_read_tokens,
    cache_write_rest AS cache_write_tokens,
    output_rest - reasoning_rest AS output_tokens,
    reasoning_rest AS reasoning_tokens
FROM rests;

-- Each of them has a row among the spans too, for its owners and its time.
INSERT INTO work_spans (
    settlement, trace_id, span_id, parent_span_id, name, kind, start_time, duration_ns, scope_name, service_name, told, workflow, team, project, feature,
    customer, environment
)
SELECT
    {settlement:UInt64} AS settlement, trace_id, span_id, parent_span_id, name, 'client' AS kind, start_time, duration_ns, scope_name, service_name, told,
    workflow, team, project, feature, customer, environment
FROM work_told_elsewhere
WHERE settlement = {settlement:UInt64} AND source = 'metrics' AND (trace_id, span_id) IN (
    SELECT trace_id, span_id FROM work_merged WHERE settlement = {settlement:UInt64} AND has(flags, 'sampled_rest')
)
