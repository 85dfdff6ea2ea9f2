-- What do log records and metrics of this hour tell of model calls? Whether spans tell of them too, the next step says.
-- A record tells of one call; one of a span that goes on to the next hour is of the hour that the span began in. Metrics tell what all calls of a service
-- to a model came to: what their series grew by within the hour.
-- Where our own counters tell of a service and model, others' counters of them are the same calls again, and so are those of two tellers that come to as much.
-- What servers and gateways count is told apart: their clients may tell of the same calls.
-- They are of no request (zeros), and of no common parent, so that none is taken for a twin or a retry of another.
-- Generated from templates/14_told_elsewhere.sql.j2 by `make generate`.
-- Where there is: metrics, logs
INSERT INTO work_told_elsewhere
SELECT
    {settlement:UInt64} AS settlement,
    if(length(trace_id) = 16, toFixedString(substring(trace_id, 1, 16), 16), record) AS trace_id,
    toFixedString(substring(toString(record), 1, 8), 8) AS span_id,
    if(length(l.span_id) = 8, toFixedString(substring(l.span_id, 1, 8), 8), toFixedString('', 8)) AS parent_span_id,
    'logs' AS source,
    event AS name,
    fromUnixTimestamp64Nano(greatest(
        least(toUnixTimestamp64Nano(time) - duration_ns, toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) - 1),
        toUnixTimestamp64Nano(toDateTime64({window:DateTime('UTC')}, 9, 'UTC'))
    ), 'UTC') AS start_time,
    toInt64(least(ifNull(toFloat64OrNull(attributes['duration_ms']), 0), 3600000) * 1000000) AS duration_ns,
    if(of_claude, 'com.anthropic.claude_code', toString(l.scope_name)) AS scope_name,
    service_name,
    arrayFirst(p -> p != '', [attributes['gen_ai.provider.name'], attributes['gen_ai.system'], provider_of_event]) AS provider,
    model,
    mapConcat(
        mapFilter((k, v) -> k IN {told_keys:Array(String)}, attributes),
        if(empty(body), map(), map(
            'gen_ai.usage.raw', toJSONString(body), 'gen_ai.response.model', toString(model), 'gen_ai.operation.name', 'chat'
        )),
        if(provider != '', map('gen_ai.provider.name', toString(provider)), map()),
        map('tollbook.told_by', 'logs')
    ) AS told,
    if(attributes['gen_ai.workflow.name'] != '', attributes['gen_ai.workflow.name'], JSONExtractString(resource, 'gen_ai.workflow.name')) AS workflow,
    if(attributes['tollbook.team'] != '', attributes['tollbook.team'], JSONExtractString(resource, 'tollbook.team')) AS team,
    if(attributes['tollbook.project'] != '', attributes['tollbook.project'], JSONExtractString(resource, 'tollbook.project')) AS project,
    if(attributes['tollbook.feature'] != '', attributes['tollbook.feature'], JSONExtractString(resource, 'tollbook.feature')) AS feature,
    if(attributes['tollbook.customer'] != '', attributes['tollbook.customer'], JSONExtractString(resource, 'tollbook.customer')) AS customer,
    JSONExtractString(resource, 'deployment.environment.name') AS environment,
    CAST([], 'Array(String)') AS names,
    '' AS aside
FROM (
    SELECT
        *,
        max(of_claude OR notEmpty(body)) OVER (PARTITION BY service_name, model) AS own_events_tell
    FROM (
        SELECT
            *,
            sipHash128(service_name, scope_name, time, trace_id, span_id, mapKeys(attributes), mapValues(attributes)) AS record,
            if(event_name != '', toString(event_name), attributes['event.name']) AS event,
            event = 'claude_code.api_request' OR startsWith(scope_name, 'com.anthropic.claude_code') AS of_claude,
            arrayFirst(m -> m != '', [attributes['gen_ai.response.model'], attributes['gen_ai.request.model'], attributes['model']]) AS model,
            transform(event, {record_events:Array(String)}, {record_providers:Array(String)}, '') AS provider_of_event,
            mapFilter((k, v) -> k != '' AND v != '', mapApply(
                (k, v) -> (transform(concat(event, '#', k), {record_keys:Array(String)}, {record_paths:Array(String)}, ''), v), attributes
            )) AS body
        FROM logs
        PREWHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {after:DateTime64(9, 'UTC')} AND (
            time < {until:DateTime64(9, 'UTC')}
            OR (toFixedString(substring(trace_id, 1, 16), 16), toFixedString(substring(span_id, 1, 8), 8)) GLOBAL IN (
                SELECT trace_id, span_id FROM spans
                WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
                    AND duration_ns >= toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) - toUnixTimestamp64Nano(start_time) - 1000000000
            )
        )
        WHERE (event IN {record_events:Array(String)} OR (startsWith(scope_name, 'com.anthropic.claude_code') AND event = 'api_request'))
            AND (of_claude OR notEmpty(body) OR arrayExists(k -> k IN {count_keys:Array(String)}, mapKeys(attributes)))
    )
) AS l
WHERE of_claude OR notEmpty(body) OR NOT own_events_tell
LIMIT 1 BY trace_id, span_id;

INSERT INTO work_told_elsewhere
WITH
points AS (
    SELECT
        cityHash64(
            m.name, m.scope_name, mapKeys(m.attributes), mapValues(m.attributes), m.service_name, m.service_instance_id, ifNull(m.process_pid, -1), m.host_id, m.host_name,
            if(m.temporality = 'delta', 0, toUnixTimestamp64Nano(m.start_time))
        ) AS series,
        m.time AS at,
        any((m.name, m.attributes, m.scope_name, m.service_name, m.resource, m.temporality = 'delta', m.start_time)) AS facts,
        any(ifNull(if(m.kind IN ('histogram', 'exponential_histogram', 'summary'), m.sum, ifNull(toFloat64(m.value_int), m.value)), 0)) AS amount
    FROM metrics AS m
    WHERE m.tenant = {tenant:String} AND m.time >= {window:DateTime('UTC')} - INTERVAL 1 DAY AND m.time < {until:DateTime64(9, 'UTC')}
        AND m.name IN {counter_names:Array(String)} AND bitAnd(m.flags, 1) = 0
        AND (m.name NOT IN {counter_common_names:Array(String)} OR mapContains(m.attributes, 'model_name'))
    GROUP BY series, at
),
grown AS (
    SELECT
        facts.1 AS name, facts.2 AS attributes, facts.4 AS service_name, facts.5 AS resource, growth,
        if(startsWith(facts.1, 'claude_code.'), 'com.anthropic.claude_code', toString(facts.3)) AS scope_name
    FROM (
        SELECT
            any(p.facts) AS facts,
            arraySort(groupArray((p.at >= {window:DateTime('UTC')}, p.at, p.amount))) AS counts,
            arrayMap(c -> c.3, arrayFilter(c -> c.1, counts)) AS told,
            -- who scrapes says of a counter that it began when it was first seen; our own say what an hour came to at its end
            multiIf(
                NOT counts[1].1, arrayLast(c -> NOT c.1, counts).3,
                facts.7 >= {window:DateTime('UTC')} AND (facts.7 < counts[1].2 OR startsWith(facts.3, 'tollbook')), 0,
                told[1]
            ) AS begun,
            if(
                facts.6, arraySum(told),
                arraySum((now, last) -> if(now < last, now, now - last), told, arrayPushFront(arrayPopBack(told), begun))
            ) AS growth
        FROM points AS p
        GROUP BY p.series
        HAVING notEmpty(told) AND growth > 0
    )
),
spelled AS (
    SELECT
        scope_name, service_name, resource, name,
        indexOf({counter_names:Array(String)}, name) AS place,
        arrayFirst(word -> word != '', arrayPushBack(arrayMap(k -> attributes[k], {counter_providers:Array(String)}), {counter_owners:Array(String)}[place])) AS provider,
        arrayFilter(word -> word != '', arrayMap(k -> attributes[k], {counter_models:Array(String)})) AS models,
        if(empty(models), '', models[1]) AS model,
        multiIf(
            {counter_asides:Array(String)}[place] != '', {counter_asides:Array(String)}[place],
            match(concat(service_name, ' ', scope_name), {between:String}), 'gateway',
            ''
        ) AS aside,
        {counter_besides:Array(UInt8)}[place] AS beside,
        arrayJoin(arrayFlatten(arrayMap(
            of -> if(beside AND of = 'gen_ai.usage.reasoning.output_tokens', [of, 'gen_ai.usage.output_tokens'], [of]),
            [if({counter_spellings:Array(String)}[place] != '', {counter_spellings:Array(String)}[place], transform(
                replaceRegexpOne(lower(arrayFirst(word -> word != '', arrayMap(k -> attributes[k], {counter_types:Array(String)}))), '_tokens?$', ''),
                {token_types:Array(String)}, {token_spellings:Array(String)}, ''
            ))]
        ))) AS spelling,
        groupUniqArrayArray(arrayMap(
            m -> replaceRegexpOne(replaceRegexpOne(lower(splitByChar('/', m)[-1]), {before_names:String}, ''), {after_names:String}, ''),
            models
        )) AS names,
        sum(growth) AS amount
    FROM grown
    GROUP BY scope_name, service_name, resource, provider, models, spelling, name
    HAVING spelling != ''
),
sums AS (
    SELECT
        scope_name, service_name, resource, provider, model, aside, spelling, groupUniqArrayArray(s.names) AS names, max(told) AS counted, max(s.beside) AS tells_more
    FROM (
        SELECT
            scope_name, service_name, resource, provider, model, aside, spelling, name, groupUniqArrayArray(names) AS names, sum(amount) AS told,
            max(beside) AS beside
        FROM spelled
        GROUP BY scope_name, service_name, resource, provider, model, aside, spelling, name
    ) AS s
    GROUP BY scope_name, service_name, resource, provider, model, aside, spelling
),
tellers AS (
    SELECT
        scope_name, service_name, resource, provider, model, aside, groupUniqArrayArray(sums.names) AS names,
        groupArray(spelling) AS spellings, groupArray(counted) AS counts,
        arraySort(arrayFilter((c, s) -> s IN ('gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens'), counts, spellings)) AS lengths
    FROM sums
    WHERE (startsWith(scope_name, 'tollbook') OR (service_name, model) NOT IN (SELECT service_name, model FROM sums WHERE startsWith(scope_name, 'tollbook')))
        AND (tells_more OR (service_name, model) NOT IN (SELECT service_name, model FROM sums WHERE tells_more))
    GROUP BY scope_name, service_name, resource, provider, model, aside
    ORDER BY length(spellings) DESC, scope_name
    LIMIT 1 BY service_name, resource, model, lengths
),
-- of a model that several kinds of servers and gateways count the one that tells most, unless callers tell of just as much
asides AS (
    SELECT name, argMaxIf(aside, (told, aside), aside != '') AS most, maxIf(told, aside != '') AS of_most, maxIf(told, aside = '') AS of_callers
    FROM (SELECT arrayJoin(names) AS name, aside, sum(arraySum(lengths)) AS told FROM tellers GROUP BY name, aside)
    GROUP BY name
)
SELECT
    {settlement:UInt64} AS settlement,
    toFixedString('', 16) AS trace_id,
    toFixedString(substring(toString(sipHash128(scope_name, service_name, resource, provider, model)), 1, 8), 8) AS span_id,
    toFixedString(substring(toString(sipHash128(scope_name, service_name, resource, provider, model)), 9, 8), 8) AS parent_span_id,
    'metrics' AS source,
    'calls told by metrics' AS name,
    toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
    0 AS duration_ns,
    scope_name,
    service_name,
    provider,
    model,
    mapFromArrays(
        arrayConcat(
            arrayMap(s -> if(
                scope_name = 'com.anthropic.claude_code',
                transform(
                    s,
                    [
                        'gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens', 'gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_write.input_tokens',
                        'gen_ai.usage.cost'
                    ],
                    ['input_tokens', 'output_tokens', 'cache_read_tokens', 'cache_creation_tokens', 'cost_usd'],
                    s
                ),
                s
            ), spellings),
            ['gen_ai.provider.name', 'gen_ai.request.model', 'gen_ai.operation.name', 'tollbook.told_by']
        ),
        arrayConcat(
            arrayMap((s, c) -> if(s = 'gen_ai.usage.cost', toString(round(c, 12)), toString(toInt64(round(least(c, 9e18))))), spellings, counts), [provider, model, 'chat', 'metrics']
        )
    ) AS told,
    JSONExtractString(resource, 'gen_ai.workflow.name') AS workflow,
    JSONExtractString(resource, 'tollbook.team') AS team,
    JSONExtractString(resource, 'tollbook.project') AS project,
    JSONExtractString(resource, 'tollbook.feature') AS feature,
    JSONExtractString(resource, 'tollbook.customer') AS customer,
    JSONExtractString(resource, 'deployment.environment.name') AS environment,
    names,
    aside
FROM tellers
WHERE (model != '' OR service_name NOT IN (SELECT service_name FROM sums WHERE model != ''))
    AND (aside = '' OR empty(names) OR (names[1], aside) IN (SELECT name, most FROM asides WHERE of_callers != of_most))
