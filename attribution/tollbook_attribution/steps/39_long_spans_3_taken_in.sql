-- What of them ran in this hour? Each is cut to it: its time, and as much of its CPU time as if that had been spent evenly. They are spans of the hour until what
-- machines and accelerators cost is shared out.
-- Where there is: work_long_spans
INSERT INTO work_spans
WITH
    toUnixTimestamp64Nano(toDateTime64({window:DateTime('UTC')}, 9, 'UTC')) AS from_ns,
    toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) AS until_ns
SELECT
    * REPLACE (
        {long:UInt64} AS settlement,
        toDateTime64({window:DateTime('UTC')}, 9, 'UTC') AS start_time,
        least(toUnixTimestamp64Nano(s.start_time) + s.duration_ns, until_ns) - from_ns AS duration_ns,
        toInt64(
            intDiv(toInt128(s.cpu_time_ns) * (least(toUnixTimestamp64Nano(s.start_time) + s.duration_ns, until_ns) - toUnixTimestamp64Nano(s.start_time)), s.duration_ns)
            - intDiv(toInt128(s.cpu_time_ns) * (from_ns - toUnixTimestamp64Nano(s.start_time)), s.duration_ns)
        ) AS cpu_time_ns
    )
FROM work_spans AS s
WHERE s.settlement > {settlement:UInt64} AND s.settlement < {long:UInt64}
    AND toUnixTimestamp64Nano(s.start_time) + s.duration_ns > from_ns AND s.duration_ns <= 604800000000000
    AND (s.host != '' OR s.accelerator_id != '')
    AND (s.trace_id, s.span_id) IN (SELECT trace_id, span_id FROM work_long_spans WHERE settlement = {settlement:UInt64})
    AND (s.trace_id, s.span_id) NOT IN (
        SELECT trace_id, span_id FROM work_spans
        WHERE settlement = {settlement:UInt64}
            AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_long_spans WHERE settlement = {settlement:UInt64})
    )
ORDER BY s.trace_id, s.span_id, s.settlement
LIMIT 1 BY s.trace_id, s.span_id;

INSERT INTO work_spans SELECT * REPLACE ({settlement:UInt64} AS settlement) FROM work_spans AS s WHERE s.settlement = {long:UInt64}
