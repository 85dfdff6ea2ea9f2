-- Which calls of this hour does the next hour tell of better? Those that go on past the hour and have, in their trace and before their
-- end, a call in the next hour: any call for a roll-up; for a leaf, one below it or with the same response id. The one in the next hour counts.
-- The upper span ends last and so arrives last; the call in the next hour is known by then.
INSERT INTO work_told_again
WITH crossing AS (
    SELECT
        w.trace_id AS trace_id, w.span_id AS span_id, w.call_class AS call_class, w.response_id AS response_id,
        toUnixTimestamp64Nano(s.start_time) + s.duration_ns AS end_ns
    FROM work_calls AS w
    INNER JOIN work_spans AS s ON w.trace_id = s.trace_id AND w.span_id = s.span_id
    WHERE w.settlement = {settlement:UInt64} AND s.settlement = {settlement:UInt64} AND w.has_usage
        AND end_ns > toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')})
)
SELECT DISTINCT {settlement:UInt64} AS settlement, c.trace_id AS trace_id, c.span_id AS span_id, if(c.call_class = 'rollup', 'rollup', 'twin') AS role
FROM (
    SELECT trace_id, parent_span_id, response_id, toUnixTimestamp64Nano(start_time) AS start_ns
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {until:DateTime64(9, 'UTC')} AND start_time < {until:DateTime64(9, 'UTC')} + INTERVAL 1 HOUR
        AND trace_id IN (SELECT trace_id FROM crossing)
        AND (input_tokens > 0 OR output_tokens > 0 OR arrayExists(k -> k IN {count_keys:Array(String)}, mapKeys(attributes)))
        AND lower(operation_name) NOT IN ('invoke_agent', 'agent_step', 'invoke_workflow', 'handle_conversation_turn', 'execute_tool', 'fetch_response')
        AND upper(openinference_kind) NOT IN ('AGENT', 'CHAIN')
) AS n
INNER JOIN crossing AS c ON n.trace_id = c.trace_id
WHERE n.start_ns <= c.end_ns
    AND (c.call_class = 'rollup' OR n.parent_span_id = c.span_id OR (c.response_id != '' AND n.response_id = c.response_id))
