-- When was each slice held, by whom, doing what?
-- A span holds it while none of its children does and while it does not read data itself. The device waits for data while a trace that
-- uses it later reads some, or a process that has it reads for nobody in particular.
-- Trace by trace.
-- Where there is: work_held_spans
INSERT INTO work_holds
WITH holding AS (
    SELECT h.*, multiIf(w.sharing = 'tokens', h.tokens, w.sharing = 'items', h.items, 1) AS weight
    FROM work_held_spans AS h
    INNER JOIN work_slices AS w ON h.device = w.device AND h.slice = w.slice
    WHERE h.settlement = {settlement:UInt64} AND w.settlement = {settlement:UInt64} AND h.state != ''
),
reading AS (
    SELECT
        trace_id, span_id, parent_span_id, process,
        multiIf(handoff_source != '', toString(handoff_source), asset_id != '', toString(asset_id), toString(name)) AS subject,
        toUnixTimestamp64Nano(start_time) AS start_ns,
        least(start_ns + duration_ns, toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')})) AS end_ns
    FROM work_spans
    WHERE settlement = {settlement:UInt64}
        AND (
            (
                (tollbook_kind = 'handoff' OR handoff_operation != '' OR operation = 'retrieval' OR framework_kind = 'RETRIEVER')
                AND handoff_operation != 'write'
            )
            OR (trace_id, span_id) IN (SELECT trace_id, span_id FROM holding WHERE state = 'waiting')
        )
        AND (
            trace_id IN (SELECT trace_id FROM work_held_spans WHERE settlement = {settlement:UInt64})
            OR process IN (SELECT process FROM work_holders WHERE settlement = {settlement:UInt64})
        )
),
waits AS (
    SELECT r.trace_id AS trace_id, r.parent_span_id AS parent_span_id, u.device AS device, u.slice AS slice, r.subject AS subject,
        r.start_ns AS start_ns, least(r.end_ns, u.last_ns) AS end_ns
    FROM reading AS r
    INNER JOIN (SELECT trace_id, device, slice, max(end_ns) AS last_ns FROM holding WHERE state = 'active' GROUP BY trace_id, device, slice) AS u
        ON r.trace_id = u.trace_id
    WHERE r.start_ns < u.last_ns
    UNION ALL
    SELECT r.trace_id AS trace_id, r.parent_span_id AS parent_span_id, p.device AS device, p.slice AS slice, r.subject AS subject,
        r.start_ns AS start_ns, r.end_ns AS end_ns
    FROM reading AS r
    INNER JOIN (SELECT * FROM work_holders WHERE settlement = {settlement:UInt64}) AS p ON r.process = p.process
    WHERE r.trace_id NOT IN (SELECT trace_id FROM holding WHERE state = 'active')
),
cuts AS (
    SELECT trace_id, parent_span_id, device, slice, groupArray(10000)((start_ns, end_ns)) AS taken
    FROM (
        SELECT trace_id, parent_span_id, device, slice, start_ns, end_ns FROM holding WHERE state != 'waiting'
        UNION ALL
        SELECT trace_id, parent_span_id, device, slice, start_ns, end_ns FROM waits
    )
    WHERE parent_span_id != toFixedString('', 8)
        AND (trace_id, parent_span_id) IN (SELECT trace_id, span_id FROM holding WHERE state != 'waiting')
    GROUP BY trace_id, parent_span_id, device, slice
)
SELECT
    {settlement:UInt64} AS settlement, h.device AS device, h.slice AS slice, h.state AS state, '' AS subject,
    h.trace_id AS trace_id, h.span_id AS span_id, h.weight AS weight,
    piece.1 AS start_ns, piece.2 AS end_ns
FROM holding AS h
LEFT ANY JOIN cuts AS c ON h.trace_id = c.trace_id AND h.span_id = c.parent_span_id AND h.device = c.device AND h.slice = c.slice
ARRAY JOIN if(
    empty(c.taken), [(h.start_ns, h.end_ns)],
    arrayFold(
        (left, cut) -> (greatest(left.1, cut.2), if(cut.1 > left.1, arrayPushBack(left.2, (left.1, least(cut.1, h.end_ns))), left.2)),
        arrayPushBack(arraySort(c.taken), (h.end_ns, h.end_ns)),
        (h.start_ns, CAST([], 'Array(Tuple(Int64, Int64))'))
    ).2
) AS piece
WHERE h.state != 'waiting' AND piece.2 > piece.1
UNION ALL
SELECT
    {settlement:UInt64} AS settlement, device, slice, 'waiting' AS state, subject,
    toFixedString('', 16) AS trace_id, toFixedString('', 8) AS span_id, 1 AS weight, start_ns, end_ns
FROM waits
WHERE end_ns > start_ns
