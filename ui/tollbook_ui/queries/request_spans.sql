-- Which spans does the request have, with their own time and money?
-- Offsets count from the request's first span; the earliest spans are kept where there are more than the limit.
-- A settled request is looked for in its own hours alone, because spans are sorted by time and not by trace.
WITH
    unhex({trace_id:String}) AS wanted,
    (SELECT ifNull(toDateTime64(minOrNull(window), 9, 'UTC'), toDateTime64('1900-01-01', 9, 'UTC')) FROM requests WHERE trace_id = wanted)
        AS first_hour,
    (
        SELECT if(
            ifNull(maxOrNull(window), toDateTime('2106-02-07 05:00:00', 'UTC')) = toDateTime('2106-02-07 05:00:00', 'UTC'),
            toDateTime64('2262-01-01', 9, 'UTC'),
            toDateTime64(maxOrNull(window), 9, 'UTC') + toIntervalHour(1)
        )
        FROM requests WHERE trace_id = wanted
    ) AS after_hours,
    (SELECT min(start_time) FROM spans WHERE trace_id = wanted AND start_time >= first_hour AND start_time < after_hours) AS first_start
SELECT
    lower(hex(s.span_id)) AS span_id,
    if(s.parent_span_id = toFixedString('', 8), '', lower(hex(s.parent_span_id))) AS parent_span_id,
    toUInt32(0) AS depth,
    s.name AS name,
    s.service_name AS service_name,
    toString(s.kind) AS kind,
    s.tollbook_kind AS tollbook_kind,
    if(c.scaffolding_class = '', s.scaffolding_class, c.scaffolding_class) AS scaffolding_class,
    toUnixTimestamp64Nano(s.start_time) - toUnixTimestamp64Nano(first_start) AS start_offset_ns,
    s.duration_ns AS duration_ns,
    c.self_ns AS self_ns,
    c.cpu_self_ns AS cpu_self_ns,
    coalesce(c.bytes, s.handoff_bytes) AS bytes,
    c.cost_usd AS cost_usd,
    toString(s.status_code) AS status,
    s.status_message AS status_message,
    if(s.response_model = '', s.request_model, s.response_model) AS model,
    ifNull(s.simulated, false) AS simulated
FROM (
    SELECT * FROM spans
    WHERE trace_id = wanted AND start_time >= first_hour AND start_time < after_hours
    ORDER BY start_time, span_id
    LIMIT 1 BY span_id
    LIMIT {limit:UInt32}
) AS s
LEFT JOIN (
    SELECT
        span_id,
        max(span_costs.scaffolding_class) AS scaffolding_class,
        toNullable(sum(span_costs.self_ns)) AS self_ns,
        sum(span_costs.cpu_self_ns) AS cpu_self_ns,
        toNullable(any(span_costs.bytes)) AS bytes,
        toNullable(sum(cost_usd)) AS cost_usd
    FROM span_costs
    WHERE trace_id = wanted
    GROUP BY span_id
) AS c ON c.span_id = s.span_id
ORDER BY start_offset_ns, span_id
