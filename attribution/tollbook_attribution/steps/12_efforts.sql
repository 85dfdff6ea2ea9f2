-- How much work did each span do itself, without its children?
-- What of it falls into this hour: wall time up to its end, and of the CPU time of a span that goes on as much as if it had been spent evenly.
-- self_ns: wall time not covered by children, overlapping children counted once.
-- cpu_self_ns: CPU time less that of children in the same process, unless both name a thread and the threads differ.
-- claim_ns, what it claims of its host: its own CPU time; where it has none, its own wall time as an estimate, unless it waits for
-- another process (kind client or producer) or its parent's measured CPU time covers it already.
-- Trace by trace.
-- Where there is: spans
INSERT INTO work_efforts
WITH toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) AS until_ns,
own AS (
    SELECT
        trace_id, span_id, parent_span_id, kind, process, thread, host, scaffolding_class,
        toUnixTimestamp64Nano(start_time) AS start_ns,
        start_ns + duration_ns AS last_ns,
        least(last_ns, until_ns) AS end_ns,
        if(last_ns > until_ns, toInt64(intDiv(toInt128(cpu_time_ns) * (until_ns - start_ns), duration_ns)), cpu_time_ns) AS cpu_ns
    FROM work_spans
    WHERE settlement = {settlement:UInt64}
),
children AS (
    SELECT
        p.trace_id AS trace_id,
        p.span_id AS span_id,
        intervalLengthSum(greatest(c.start_ns, p.start_ns), least(c.end_ns, p.end_ns)) AS covered_ns,
        sumIf(
            ifNull(c.cpu_ns, 0), c.process = p.process AND (c.thread = p.thread OR c.thread = '' OR p.thread = '')
        ) AS children_ns
    FROM own AS c
    INNER JOIN own AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id
    WHERE c.start_ns < p.end_ns AND c.end_ns > p.start_ns
    GROUP BY p.trace_id, p.span_id
)
SELECT
    {settlement:UInt64} AS settlement,
    s.trace_id AS trace_id,
    s.span_id AS span_id,
    greatest(s.end_ns - s.start_ns - toInt64(c.covered_ns), 0) AS self_ns,
    if(isNull(s.cpu_ns), NULL, greatest(s.cpu_ns - toInt64(c.children_ns), 0)) AS cpu_self_ns,
    multiIf(
        s.host = '', 0,
        isNotNull(s.cpu_ns), assumeNotNull(cpu_self_ns),
        s.kind IN ('client', 'producer') OR (isNotNull(p.cpu_ns) AND p.process = s.process), 0,
        self_ns
    ) AS claim_ns,
    isNull(s.cpu_ns) AS estimated,
    if(s.scaffolding_class != '', s.scaffolding_class, p.scaffolding_class) AS scaffolding_class
FROM own AS s
LEFT ANY JOIN own AS p ON s.trace_id = p.trace_id AND s.parent_span_id = p.span_id
LEFT ANY JOIN children AS c ON s.trace_id = c.trace_id AND s.span_id = c.span_id
