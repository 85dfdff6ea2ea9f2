-- What ran on from the hours before has its share of machines and accelerators: the hour keeps what began in it. Whose their lines are is kept.
-- Where there is: work_long_spans
SELECT 1 AS found FROM work_spans WHERE settlement = {long:UInt64} LIMIT 1;

INSERT INTO work_line_owners
    (settlement, trace_id, span_id, service_name, workflow, team, project, feature, customer, environment, region, account, simulated,
    service_version, site, response_model, request_model)
SELECT
    {settlement:UInt64} AS settlement, trace_id, span_id, service_name, workflow, team, project, feature, customer, environment, region,
    account, simulated, service_version, site, response_model, request_model
FROM work_spans AS s
WHERE s.settlement = {long:UInt64};

DELETE FROM work_spans
WHERE settlement = {settlement:UInt64} AND (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_spans WHERE settlement = {long:UInt64})
