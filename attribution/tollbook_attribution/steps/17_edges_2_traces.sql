-- Which calls are told of on both sides of an edge of this hour? Those of traces with calls on both sides and a span that goes over it or ends less than a second
-- before it, or, as clocks differ, with spans of the minute before and of the minute after; those whose answer is named on both sides, up to ten minutes away by a span
-- that ends 5 s before it or later, else within five minutes of it; and those that two tellers of a process tell of within a second of it, in traces of their own.
-- Where there is: edges
INSERT INTO work_beside (settlement, trace_id, span_id, answer, is_here, is_call, digest, process, teller)
WITH
    toUnixTimestamp64Nano(toDateTime64({window:DateTime('UTC')}, 9, 'UTC')) AS window_ns,
    toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) AS until_ns,
    near AS (
        SELECT
            trace_id,
            cityHash64(response_id) AS answer,
            response_id != '' AS names_answer,
            duration_ns - (if(start_time < {window:DateTime('UTC')}, window_ns, until_ns) - toUnixTimestamp64Nano(start_time)) AS over_ns
        FROM spans
        WHERE tenant = {tenant:String} AND start_time >= {before:DateTime64(9, 'UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
            AND duration_ns >= if(start_time < {window:DateTime('UTC')}, window_ns, until_ns) - toUnixTimestamp64Nano(start_time) - 300000000000
    ),
    past AS (
        SELECT
            trace_id,
            cityHash64(response_id) AS answer,
            response_id != '' AS names_answer,
            toUnixTimestamp64Nano(start_time) - if(start_time < {until:DateTime64(9, 'UTC')}, window_ns, until_ns) AS after_ns
        FROM spans
        WHERE tenant = {tenant:String} AND (
            (start_time >= {window:DateTime('UTC')} AND start_time < toDateTime64({window:DateTime('UTC')}, 9, 'UTC') + INTERVAL 5 MINUTE)
            OR (start_time >= {until:DateTime64(9, 'UTC')} AND start_time < {until:DateTime64(9, 'UTC')} + INTERVAL 5 MINUTE)
        )
    )
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    if(response_id = '', 0, cityHash64(response_id)) AS answer,
    start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')} AS is_here,
    isNotNull(input_tokens) OR isNotNull(output_tokens) OR tollbook_kind = 'inference' OR operation_name != '' OR openinference_kind != ''
        OR arrayExists(k -> k IN {told_keys:Array(String)}, mapKeys(attributes)) OR arrayExists(event -> startsWith(event, 'gen_ai.'), `events.name`) AS is_call,
    cityHash64(trace_id, span_id, parent_span_id, duration_ns, input_tokens, output_tokens, cityHash64(toString(attributes))) AS digest,
    if(
        parent_span_id = toFixedString('', 8) AND (service_instance_id != '' OR isNotNull(process_pid)) AND least(
            abs(toUnixTimestamp64Nano(start_time) - window_ns), abs(toUnixTimestamp64Nano(start_time) - until_ns)
        ) < 1000000000,
        cityHash64(service_name, service_instance_id, ifNull(process_pid, -1), host_id, host_name), 0
    ) AS process,
    cityHash64(scope_name) AS teller
FROM spans
WHERE tenant = {tenant:String} AND start_time >= {before:DateTime64(9, 'UTC')} AND start_time < {after:DateTime64(9, 'UTC')}
    AND (
        process != 0
        OR trace_id GLOBAL IN (
            SELECT trace_id FROM near
            WHERE over_ns >= -1000000000 OR (over_ns >= -60000000000 AND trace_id GLOBAL IN (SELECT trace_id FROM past WHERE after_ns <= 60000000000))
        )
        OR (
            response_id != ''
            AND (abs(toUnixTimestamp64Nano(start_time) - window_ns) < 600000000000 OR abs(toUnixTimestamp64Nano(start_time) - until_ns) < 600000000000)
            AND cityHash64(response_id) GLOBAL IN (
                SELECT answer FROM near
                WHERE names_answer AND (over_ns >= -5000000000 OR answer GLOBAL IN (SELECT answer FROM past WHERE names_answer))
            )
        )
    );

-- Records of calls beside the hour that their span began in: these are of the hour of their span.
INSERT INTO work_beside (settlement, trace_id, span_id, answer, is_here, is_call, digest)
SELECT
    {settlement:UInt64} AS settlement,
    toFixedString(substring(trace_id, 1, 16), 16) AS trace_id,
    toFixedString(substring(span_id, 1, 8), 8) AS span_id,
    0 AS answer,
    time < {until:DateTime64(9, 'UTC')} AS is_here,
    true AS is_call,
    cityHash64(trace_id, span_id, time, toString(attributes)) AS digest
FROM logs
PREWHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {after:DateTime64(9, 'UTC')}
    AND (toFixedString(substring(trace_id, 1, 16), 16), toFixedString(substring(span_id, 1, 8), 8)) GLOBAL IN (
        SELECT trace_id, span_id FROM work_beside WHERE settlement = {settlement:UInt64} AND is_call
    )
WHERE if(event_name != '', toString(event_name), attributes['event.name']) IN {record_events:Array(String)};

INSERT INTO work_edges
SELECT DISTINCT {settlement:UInt64} AS settlement, trace_id
FROM work_beside
WHERE settlement = {settlement:UInt64} AND (
    trace_id IN (
        SELECT trace_id FROM work_beside WHERE settlement = {settlement:UInt64} AND is_call GROUP BY trace_id HAVING max(is_here) AND NOT min(is_here)
    )
    OR answer IN (
        SELECT answer FROM work_beside WHERE settlement = {settlement:UInt64} AND answer != 0 GROUP BY answer HAVING max(is_here) AND NOT min(is_here)
    )
    OR process IN (
        SELECT process FROM work_beside
        WHERE settlement = {settlement:UInt64} AND process != 0 AND is_call
        GROUP BY process
        HAVING max(is_here) AND NOT min(is_here) AND min(teller) != max(teller)
    )
)
