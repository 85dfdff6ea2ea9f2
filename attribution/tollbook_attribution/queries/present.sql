-- How many of the facts that were counted for this hour are still there? Retention takes old ones away.
SELECT
    (
        SELECT count() FROM spans
        WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
    ) + (
        -- of spans that ran on into it, those that are there where they began
        SELECT count() FROM long_spans
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND (trace_id, span_id) GLOBAL IN (
            SELECT trace_id, span_id FROM spans
            WHERE tenant = {tenant:String} AND start_time < {window:DateTime('UTC')}
                AND start_time >= (SELECT minOrNull(began) FROM long_spans WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')})
                AND (trace_id, span_id) GLOBAL IN (SELECT trace_id, span_id FROM long_spans WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')})
        )
    ) + (
        SELECT count() FROM metrics
        WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
    ) + (
        SELECT count() FROM logs
        WHERE tenant = {tenant:String} AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')} AND (
            event_name IN {record_events:Array(String)} OR attributes['event.name'] IN {record_events:Array(String)}
            OR attributes['event.name'] = 'api_request'
        )
    ) + (
        SELECT sum(f.facts) FROM fact_hours AS f
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND signal = 'bills'
    ) AS facts
