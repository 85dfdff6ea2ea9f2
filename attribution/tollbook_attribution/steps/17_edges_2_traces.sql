-- Which calls are told of on both sides of an edge of this hour? Those of traces with a span that goes over it, or ends less than a second before it, and with
-- calls on both sides; and those whose answer is named on both sides, up to ten minutes away, by a span that ends 5 s before it or later.
-- Where there is: edges
INSERT INTO work_beside
WITH
    toUnixTimestamp64Nano(toDateTime64({window:DateTime('UTC')}, 9, 'UTC')) AS window_ns,
    toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) AS until_ns,
    near AS (
        SELECT
            trace_id,
            response_id,
            duration_ns - (if(start_time < {window:DateTime('UTC')}, window_ns, until_ns) - toUnixTimestamp64Nano(start_time)) AS over_ns
        FROM spans
        WHERE tenant = {tenant:String} AND start_time >= {before:DateTime64(9, 'UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
            AND duration_ns >= if(start_time < {window:DateTime('UTC')}, window_ns, until_ns) - toUnixTimestamp64Nano(start_time) - 5000000000
    )
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    if(response_id = '', 0, cityHash64(response_id)) AS answer,
    start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')} AS is_here,
    isNotNull(input_tokens) OR isNotNull(output_tokens) OR tollbook_kind = 'inference' OR operation_name != '' OR openinference_kind != ''
        OR arrayExists(k -> k IN {told_keys:Array(String)}, mapKeys(attributes)) OR arrayExists(event -> startsWith(event, 'gen_ai.'), `events.name`) AS is_call,
    cityHash64(trace_id, span_id, parent_span_id, duration_ns, input_tokens, output_tokens, cityHash64(toString(attributes))) AS digest
FROM spans
WHERE tenant = {tenant:String} AND start_time >= {before:DateTime64(9, 'UTC')} AND start_time < {after:DateTime64(9, 'UTC')}
    AND (
        trace_id GLOBAL IN (SELECT trace_id FROM near WHERE over_ns >= -1000000000)
        OR (
            response_id != ''
            AND (abs(toUnixTimestamp64Nano(start_time) - window_ns) < 600000000000 OR abs(toUnixTimestamp64Nano(start_time) - until_ns) < 600000000000)
            AND response_id GLOBAL IN (SELECT response_id FROM near WHERE response_id != '')
        )
    );

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
)
