-- Which principals had which assets read for which models in the period? Those with the most calls first.
-- Who asked is what the call's span names, else the nearest span above it, else the trace's request, where it has one; where nobody is named,
-- the service that called. Spans above a call are looked for up to a day before the period and an hour after it.
WITH RECURSIVE
askers AS (
    SELECT
        tenant, trace_id, span_id, parent_span_id, service_namespace,
        tollbook_kind = 'request' AS is_request,
        coalesce(
            nullIf(user_id, ''), nullIf(attributes['enduser.pseudo.id'], ''), nullIf(attributes['user.name'], ''),
            nullIf(attributes['user.hash'], ''), attributes['user.email']
        ) AS asker
    FROM spans
    WHERE start_time >= toDateTime64({since:DateTime('UTC')}, 9, 'UTC') - toIntervalDay(1)
        AND start_time < toDateTime64({until:DateTime('UTC')}, 9, 'UTC') + toIntervalHour(1)
),

uses AS (
    SELECT tenant, trace_id, inference_span_id AS span_id, asset_id, inference_time, service_name
    FROM lineage
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')} AND asset_id = ifNull({asset:Nullable(String)}, asset_id)
),

used AS (
    SELECT
        l.tenant AS tenant, l.trace_id AS trace_id, l.span_id AS span_id, l.asset_id AS asset_id,
        l.inference_time AS asked_at, l.service_name AS service, c.answered AS answered
    FROM uses AS l
    INNER JOIN (
        SELECT tenant, trace_id, span_id, if(response_model = '', model, response_model) AS answered
        FROM calls
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            AND role = 'counted'
            AND ifNull({model:Nullable(String)}, model) IN (model, response_model)
            AND service_name = ifNull({service:Nullable(String)}, service_name)
            AND workflow = ifNull({workflow:Nullable(String)}, workflow)
            AND team = ifNull({team:Nullable(String)}, team)
            AND project = ifNull({project:Nullable(String)}, project)
            AND feature = ifNull({feature:Nullable(String)}, feature)
            AND customer = ifNull({customer:Nullable(String)}, customer)
            AND environment = ifNull({environment:Nullable(String)}, environment)
    ) AS c ON l.tenant = c.tenant AND l.trace_id = c.trace_id AND l.span_id = c.span_id
),

told AS (
    SELECT tenant, trace_id, span_id, parent_span_id, service_namespace, is_request, asker
    FROM askers
    WHERE (tenant, trace_id) IN (SELECT tenant, trace_id FROM uses)
),

above AS (
    SELECT tenant, trace_id, span_id, parent_span_id AS upper_id, asker, [span_id] AS seen
    FROM told
    WHERE (tenant, trace_id, span_id) IN (SELECT tenant, trace_id, span_id FROM uses)
        AND (tenant, trace_id) IN (SELECT tenant, trace_id FROM told WHERE asker != '')
    UNION ALL
    SELECT
        a.tenant AS tenant, a.trace_id AS trace_id, a.span_id AS span_id, t.parent_span_id AS upper_id, t.asker AS asker,
        arrayConcat(a.seen, [t.span_id]) AS seen
    FROM askers AS t
    INNER JOIN above AS a ON t.tenant = a.tenant AND t.trace_id = a.trace_id AND t.span_id = a.upper_id
    WHERE a.asker = '' AND NOT has(a.seen, a.upper_id) AND length(a.seen) < 100
),

nearest AS (
    SELECT tenant, trace_id, span_id, argMin(asker, (length(seen), asker)) AS named
    FROM above WHERE asker != ''
    GROUP BY tenant, trace_id, span_id
),

-- A trace of two requests says nothing of a call that hangs under neither.
requesters AS (
    SELECT
        tenant, trace_id,
        if(countIf(is_request) > 0, groupUniqArrayIf(2)(asker, is_request), groupUniqArray(2)(asker)) AS askers,
        if(length(askers) = 1, askers[1], '') AS named
    FROM told
    WHERE is_request OR parent_span_id = toFixedString('', 8)
    GROUP BY tenant, trace_id
),

namespaces AS (
    SELECT tenant, trace_id, span_id, any(service_namespace) AS namespace
    FROM told WHERE service_namespace != ''
    GROUP BY tenant, trace_id, span_id
)
SELECT
    u.tenant AS tenant,
    if(n.named != '' OR r.named != '', 'user', 'service') AS kind,
    multiIf(n.named != '', n.named, r.named != '', r.named, s.namespace != '', concat(s.namespace, '/', u.service), u.service) AS principal,
    u.asset_id AS asset,
    u.answered AS model,
    uniqExact(u.trace_id, u.span_id) AS calls,
    min(u.asked_at) AS first_at,
    max(u.asked_at) AS last_at
FROM used AS u
LEFT JOIN nearest AS n ON u.tenant = n.tenant AND u.trace_id = n.trace_id AND u.span_id = n.span_id
LEFT JOIN requesters AS r ON u.tenant = r.tenant AND u.trace_id = r.trace_id
LEFT JOIN namespaces AS s ON u.tenant = s.tenant AND u.trace_id = s.trace_id AND u.span_id = s.span_id
WHERE principal = ifNull({principal:Nullable(String)}, principal)
GROUP BY tenant, kind, principal, asset, model
ORDER BY calls DESC, tenant, kind, principal, asset, model
LIMIT {limit:UInt32}
