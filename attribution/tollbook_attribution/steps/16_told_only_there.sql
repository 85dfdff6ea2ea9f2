-- Which of the calls that log records and metrics tell of does no span tell of? These are added as spans of their own.
-- A record of a span counts unless that span tells of its usage, in the hour that the span began in where it goes on to this one; a record of no known span
-- unless spans of its service tell of usage of its model in this hour. Metrics count unless spans, or the records added just before, do so: a count is taken from one source, never from two.
-- Generated from templates/16_told_only_there.sql.j2 by `make generate`.
-- Where there is: work_told_elsewhere
INSERT INTO work_spans (
    settlement, trace_id, span_id, parent_span_id, name, kind, start_time, duration_ns, scope_name, service_name, told, workflow, team, project, feature,
    customer, environment
)
WITH telling AS (
    SELECT trace_id, span_id, service_name, arrayJoin(if(empty(models), [''], models)) AS model
    FROM (
        SELECT
            trace_id, span_id, service_name,
            arrayFilter(m -> m != '', arrayConcat([toString(response_model), toString(request_model)], arrayMap(k -> told[k], {model_keys:Array(String)}))) AS models
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND (
            isNotNull(input_tokens) OR isNotNull(output_tokens) OR arrayExists(k -> k IN {count_keys:Array(String)}, mapKeys(told))
        )
    )
),
begun_before AS (
    SELECT
        trace_id, span_id, true AS known,
        isNotNull(input_tokens) OR isNotNull(output_tokens) OR arrayExists(k -> k IN {count_keys:Array(String)}, mapKeys(attributes))
            OR duration_ns >= toUnixTimestamp64Nano(toDateTime64({window:DateTime('UTC')}, 9, 'UTC')) - toUnixTimestamp64Nano(start_time) - 1000000000 AS told_there
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {before:DateTime64(9, 'UTC')} AND start_time < {window:DateTime('UTC')}
        AND (trace_id, span_id) GLOBAL IN (
            SELECT trace_id, parent_span_id FROM work_told_elsewhere
            WHERE settlement = {settlement:UInt64} AND source = 'logs' AND parent_span_id != toFixedString('', 8)
        )
)
SELECT
    {settlement:UInt64} AS settlement, e.trace_id AS trace_id, e.span_id AS span_id, parent_span_id, name, 'client' AS kind, start_time, duration_ns, scope_name,
    service_name, told, workflow, team, project, feature, customer, environment
FROM (SELECT * FROM work_told_elsewhere WHERE settlement = {settlement:UInt64} AND source = 'logs') AS e
LEFT ANY JOIN begun_before AS b ON e.trace_id = b.trace_id AND e.parent_span_id = b.span_id
WHERE NOT b.told_there AND (e.trace_id, e.parent_span_id) NOT IN (SELECT trace_id, span_id FROM telling)
    AND (
        b.known OR (e.trace_id, e.parent_span_id) IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {settlement:UInt64})
        OR ((e.service_name, e.model) NOT IN (SELECT service_name, model FROM telling) AND (e.service_name, '') NOT IN (SELECT service_name, model FROM telling))
    );

-- Spans that end up to five minutes before the hour are asked too: what they used is counted by a point of the hour. What a server or a gateway counts is its clients'
-- where spans of any service tell of the model, and so is what comes to just as much as they tell.
INSERT INTO work_spans (
    settlement, trace_id, span_id, parent_span_id, name, kind, start_time, duration_ns, scope_name, service_name, told, workflow, team, project, feature,
    customer, environment
)
WITH
telling AS (
    SELECT
        service_name,
        ifNull(input_tokens, 0) AS input,
        ifNull(output_tokens, 0) AS output,
        arrayDistinct(arrayMap(
            m -> replaceRegexpOne(replaceRegexpOne(lower(splitByChar('/', m)[-1]), {before_names:String}, ''), {after_names:String}, ''),
            arrayFilter(m -> m != '', arrayConcat([toString(response_model), toString(request_model)], arrayMap(k -> told[k], {model_keys:Array(String)})))
        )) AS names
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND (
        isNotNull(input_tokens) OR isNotNull(output_tokens) OR arrayExists(k -> k IN {count_keys:Array(String)}, mapKeys(told))
    )
),
lately AS (
    SELECT service_name, name, sum(input) AS all_input, sum(output) AS all_output
    FROM (
        SELECT
            service_name,
            ifNull(input_tokens, 0) AS input,
            ifNull(output_tokens, 0) AS output,
            arrayJoin(arrayDistinct(arrayMap(
                m -> replaceRegexpOne(replaceRegexpOne(lower(splitByChar('/', m)[-1]), {before_names:String}, ''), {after_names:String}, ''),
                arrayFilter(m -> m != '', arrayConcat([toString(response_model), toString(request_model)], arrayMap(k -> attributes[k], {model_keys:Array(String)})))
            ))) AS name
        FROM spans
        WHERE tenant = {tenant:String} AND start_time >= {before:DateTime64(9, 'UTC')} AND start_time < {window:DateTime('UTC')}
            AND duration_ns >= toUnixTimestamp64Nano(toDateTime64({window:DateTime('UTC')}, 9, 'UTC')) - toUnixTimestamp64Nano(start_time) - 300000000000
            AND (isNotNull(input_tokens) OR isNotNull(output_tokens))
            AND service_name GLOBAL IN (SELECT service_name FROM work_told_elsewhere WHERE settlement = {settlement:UInt64} AND source = 'metrics')
    )
    GROUP BY service_name, name
),
services AS (
    SELECT service_name, groupUniqArrayArray(names) AS own_names, max(empty(names)) AS nameless FROM telling GROUP BY service_name
),
by_name AS (SELECT arrayJoin(names) AS name, sum(input) AS all_input, sum(output) AS all_output FROM telling GROUP BY name),
counted AS (
    SELECT
        *,
        sum(toInt64OrZero(told['gen_ai.usage.input_tokens'])) OVER (PARTITION BY service_name, model) AS input,
        sum(toInt64OrZero(told['gen_ai.usage.output_tokens'])) OVER (PARTITION BY service_name, model) AS output
    FROM work_told_elsewhere
    WHERE settlement = {settlement:UInt64} AND source = 'metrics'
)
SELECT
    {settlement:UInt64} AS settlement, e.trace_id AS trace_id, e.span_id AS span_id, e.parent_span_id AS parent_span_id, e.name AS name, 'client' AS kind,
    e.start_time AS start_time, e.duration_ns AS duration_ns, e.scope_name AS scope_name, e.service_name AS service_name, e.told AS told, e.workflow AS workflow,
    e.team AS team, e.project AS project, e.feature AS feature, e.customer AS customer, e.environment AS environment
FROM counted AS e
LEFT ANY JOIN services AS s ON e.service_name = s.service_name
WHERE NOT s.nameless AND (empty(s.own_names) OR (notEmpty(e.names) AND NOT hasAny(s.own_names, e.names)))
    AND (e.aside = '' OR NOT hasAny((SELECT groupArray(name) FROM by_name), e.names))
    AND NOT arrayExists(by -> has(e.names, by.1) AND by.2 = e.input AND by.3 = e.output, (SELECT groupArray((name, all_input, all_output)) FROM by_name))
    AND NOT arrayExists(
        by -> by.1 = e.service_name AND has(e.names, by.2) AND by.3 >= e.input AND by.4 >= e.output,
        (SELECT groupArray((service_name, name, all_input, all_output)) FROM lately)
    )
