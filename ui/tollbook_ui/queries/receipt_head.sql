-- Is the trace stored, is it settled, and what is it? One row, with no spans where the trace is unknown.
-- The name is the root's; where the root is missing, the earliest span's.
-- One id in several tenants is several requests: all of them are named.
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
    (SELECT sum(span_count) FROM requests WHERE trace_id = wanted) AS spans_settled,
    (
        SELECT max(s.settled_at) FROM settlements AS s
        WHERE (s.tenant, s.window, s.settlement) IN (SELECT tenant, window, settlement FROM requests WHERE trace_id = wanted)
    ) AS settled
SELECT
    uniqExact(span_id) AS spans,
    multiIf(spans_settled = 0, 'unsettled', spans_settled < spans, 'late', 'settled') AS state,
    if(spans_settled = 0, NULL, settled) AS settled_at,
    argMin(spans.name, (parent_span_id != toFixedString('', 8), spans.start_time)) AS name,
    argMin(spans.service_name, (parent_span_id != toFixedString('', 8), spans.start_time)) AS service_name,
    argMin(spans.workflow, (spans.workflow = '', parent_span_id != toFixedString('', 8), spans.start_time)) AS workflow,
    min(spans.start_time) AS start_time,
    nullIf(max(toUnixTimestamp64Nano(spans.start_time) + spans.duration_ns) - min(toUnixTimestamp64Nano(spans.start_time)), 0) AS duration_ns,
    arraySort(groupUniqArray(toString(spans.tenant))) AS tenants
FROM spans
WHERE trace_id = wanted AND spans.start_time >= first_hour AND spans.start_time < after_hours
