-- How much work did each of them do itself in this hour, without its children? As of all spans (`12_efforts`).
-- Where there is: work_long_spans
INSERT INTO work_efforts
WITH
    toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')}) AS until_ns,
    parents AS (
        SELECT *, toUnixTimestamp64Nano(start_time) AS start_ns, start_ns + duration_ns AS end_ns
        FROM work_spans
        WHERE settlement = {long:UInt64}
    ),
    below AS (
        SELECT
            trace_id, parent_span_id, process, thread,
            toUnixTimestamp64Nano(start_time) AS start_ns,
            least(start_ns + duration_ns, until_ns) AS end_ns,
            if(
                start_ns + duration_ns > until_ns, toInt64(intDiv(toInt128(ifNull(cpu_time_ns, 0)) * (until_ns - start_ns), duration_ns)),
                ifNull(cpu_time_ns, 0)
            ) AS cpu_ns
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND (trace_id, parent_span_id) IN (SELECT trace_id, span_id FROM parents)
    ),
    children AS (
        SELECT
            p.trace_id AS trace_id,
            p.span_id AS span_id,
            intervalLengthSum(greatest(c.start_ns, p.start_ns), least(c.end_ns, p.end_ns)) AS covered_ns,
            sumIf(c.cpu_ns, c.process = p.process AND (c.thread = p.thread OR c.thread = '' OR p.thread = '')) AS cpu_ns
        FROM below AS c
        INNER JOIN parents AS p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id
        WHERE c.start_ns < p.end_ns AND c.end_ns > p.start_ns
        GROUP BY p.trace_id, p.span_id
    )
SELECT
    {settlement:UInt64} AS settlement,
    s.trace_id AS trace_id,
    s.span_id AS span_id,
    greatest(s.duration_ns - toInt64(c.covered_ns), 0) AS self_ns,
    if(isNull(s.cpu_time_ns), NULL, greatest(s.cpu_time_ns - toInt64(c.cpu_ns), 0)) AS cpu_self_ns,
    multiIf(
        s.host = '', 0,
        isNotNull(s.cpu_time_ns), assumeNotNull(cpu_self_ns),
        s.kind IN ('client', 'producer') OR (isNotNull(p.cpu_time_ns) AND p.process = s.process), 0,
        self_ns
    ) AS claim_ns,
    isNull(s.cpu_time_ns) AS estimated,
    if(s.scaffolding_class != '', s.scaffolding_class, a.scaffolding_class) AS scaffolding_class
FROM parents AS s
LEFT ANY JOIN parents AS p ON s.trace_id = p.trace_id AND s.parent_span_id = p.span_id
LEFT ANY JOIN children AS c ON s.trace_id = c.trace_id AND s.span_id = c.span_id
LEFT ANY JOIN (
    SELECT trace_id, span_id, min(w.scaffolding_class) AS scaffolding_class
    FROM work_spans AS w
    WHERE w.settlement > {settlement:UInt64} AND w.settlement < {long:UInt64}
    GROUP BY trace_id, span_id
) AS a ON s.trace_id = a.trace_id AND s.parent_span_id = a.span_id
