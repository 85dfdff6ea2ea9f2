-- Which of the calls that log records and metrics tell of does no span tell of? These are added as spans of their own.
-- A record of a span, which may have begun in the hour before, counts unless that span tells of its usage; a record of no known span unless spans of its
-- service tell of usage of its model in this hour. Metrics count unless spans, or the records added just before, do so: a count is taken from one source, never from two.
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
        isNotNull(input_tokens) OR isNotNull(output_tokens) OR arrayExists(k -> k IN {count_keys:Array(String)}, mapKeys(attributes)) AS tells
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
WHERE NOT b.tells AND (e.trace_id, e.parent_span_id) NOT IN (SELECT trace_id, span_id FROM telling)
    AND (
        b.known OR (e.trace_id, e.parent_span_id) IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {settlement:UInt64})
        OR ((e.service_name, e.model) NOT IN (SELECT service_name, model FROM telling) AND (e.service_name, '') NOT IN (SELECT service_name, model FROM telling))
    );

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
)
SELECT
    {settlement:UInt64} AS settlement, trace_id, span_id, parent_span_id, name, 'client' AS kind, start_time, duration_ns, scope_name, service_name, told,
    workflow, team, project, feature, customer, environment
FROM work_told_elsewhere AS e
WHERE e.settlement = {settlement:UInt64} AND e.source = 'metrics' AND (e.service_name, e.model) NOT IN (SELECT service_name, model FROM telling WHERE model != '');
