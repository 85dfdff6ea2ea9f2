-- What is stored of one span, for each tenant that has one of this id?
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
    ) AS after_hours
SELECT
    * EXCEPT (trace_id, span_id, parent_span_id, `links.trace_id`, `links.span_id`),
    lower(hex(spans.trace_id)) AS trace_id,
    lower(hex(spans.span_id)) AS span_id,
    lower(hex(spans.parent_span_id)) AS parent_span_id,
    arrayMap(id -> lower(hex(id)), links.trace_id) AS link_trace_ids,
    arrayMap(id -> lower(hex(id)), links.span_id) AS link_span_ids
FROM spans
WHERE spans.trace_id = wanted AND start_time >= first_hour AND start_time < after_hours AND spans.span_id = unhex({span_id:String})
ORDER BY start_time
LIMIT 1 BY tenant
