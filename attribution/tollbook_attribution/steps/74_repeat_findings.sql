-- What would be saved if each lookup, copy and inference were done once? All but the first of each.
-- Where there is: work_repeats
INSERT INTO findings_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    r.kind AS kind,
    r.subject AS subject,
    r.service_name AS service_name,
    r.workflow AS workflow,
    r.team AS team,
    count() AS count,
    sum(r.duration_ns) AS duration_ns,
    sum(r.bytes) AS bytes,
    sum(c.cost_usd) AS cost_usd,
    sumIf(c.cost_usd, r.place > 1) AS saving_usd,
    sumIf(r.duration_ns, r.place > 1) AS saving_ns,
    argMax(r.trace_id, (r.place, r.trace_id)) AS example_trace_id,
    concat(
        toString(count), ' times, of which ', toString(countIf(r.place > 1)), ' ',
        multiIf(
            r.kind = 'repeated_lookup', 'asked what had been asked before',
            r.kind = 'duplicate_copy', 'handed over content that had been handed over before',
            'computed what had been computed before'
        ),
        if(r.kind = 'duplicate_copy', concat(' (', formatReadableSize(sumIf(r.bytes, r.place > 1)), ')'), ''), '.'
    ) AS detail,
    if(r.kind = 'repeated_lookup', 'lookup', if(r.kind = 'duplicate_copy', 'copy', 'useful')) AS scaffolding_class
FROM (SELECT * FROM work_repeats WHERE settlement = {settlement:UInt64}) AS r
LEFT ANY JOIN (SELECT * FROM work_repeat_costs WHERE settlement = {settlement:UInt64}) AS c
    ON r.trace_id = c.trace_id AND r.span_id = c.span_id
GROUP BY r.kind, r.subject, r.service_name, r.workflow, r.team
HAVING countIf(r.place > 1) > 0
