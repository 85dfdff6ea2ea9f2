-- What do spans that began in an earlier hour and ran on say of their machines? No fact of the later hour may say it again.
INSERT INTO work_long_hosts
SELECT DISTINCT {of:UInt64} AS settlement, trace_id, span_id, toString(resource) AS resource
FROM spans
WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
    AND (trace_id, span_id) GLOBAL IN (
        SELECT trace_id, span_id FROM work_long_spans AS w WHERE w.settlement = {of:UInt64} AND w.began = {window:DateTime('UTC')}
    )
