-- What could be saved in the period, the largest saving first?
-- The same finding of several hours is added up; its sentence is that of the hour in which it counted most.
SELECT
    toString(kind) AS kind,
    subject,
    service_name,
    workflow,
    team,
    sum(findings.count) AS count,
    sum(findings.duration_ns) AS duration_ns,
    sum(findings.bytes) AS bytes,
    sum(findings.cost_usd) AS cost_usd,
    sum(findings.saving_usd) AS saving_usd,
    sum(findings.saving_ns) AS saving_ns,
    uniqExact(window) AS hours,
    lower(hex(argMax(findings.example_trace_id, findings.count))) AS example_trace_id,
    argMax(findings.detail, findings.count) AS detail
FROM findings
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    AND service_name = ifNull({service:Nullable(String)}, service_name)
    AND workflow = ifNull({workflow:Nullable(String)}, workflow)
    AND team = ifNull({team:Nullable(String)}, team)
GROUP BY kind, subject, service_name, workflow, team
ORDER BY saving_usd DESC, saving_ns DESC, count DESC, kind, subject, service_name, workflow, team
LIMIT {limit:UInt32}
