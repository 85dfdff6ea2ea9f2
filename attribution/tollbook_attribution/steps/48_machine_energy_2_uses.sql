-- What did each part of a machine draw while each span ran that used its CPUs?
-- In nanojoules x 2^24, times the CPUs that the span used in the mean of its time: its claim is of that of its own, without its children.
-- Trace by trace.
-- Where there is: work_machine_parts
INSERT INTO work_machine_uses
WITH ran AS (
    SELECT
        p.device AS device, s.trace_id AS trace_id, s.span_id AS span_id, s.start_ns AS start_ns, s.end_ns AS end_ns, e.claim_ns AS claim_ns,
        e.estimated AS estimated
    FROM (SELECT * FROM work_efforts WHERE settlement = {settlement:UInt64} AND claim_ns > 0) AS e
    INNER JOIN (
        SELECT
            trace_id, span_id, host, toUnixTimestamp64Nano(start_time) AS start_ns,
            least(toUnixTimestamp64Nano(start_time) + greatest(duration_ns, 1), toUnixTimestamp64Nano({until:DateTime64(9, 'UTC')})) AS end_ns
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND host != '' AND trace_id != toFixedString('', 16)
    ) AS s ON e.trace_id = s.trace_id AND e.span_id = s.span_id
    INNER JOIN (SELECT device, host FROM work_machine_parts WHERE settlement = {settlement:UInt64}) AS p ON s.host = p.host
),
axis AS (
    SELECT device, at_ns, until_ns, from_nj, upto_nj FROM work_energy WHERE settlement = {settlement:UInt64} AND startsWith(device, 'cpu:')
),
begun AS (
    SELECT
        r.device AS device, r.trace_id AS trace_id, r.span_id AS span_id, r.end_ns AS end_ns, r.end_ns - r.start_ns AS ran_ns, r.claim_ns AS claim_ns,
        r.estimated AS estimated,
        s.from_nj + toInt64(intDiv(toInt128(least(r.start_ns, s.until_ns) - s.at_ns) * (s.upto_nj - s.from_nj), greatest(s.until_ns - s.at_ns, 1))) AS begin_nj
    FROM ran AS r
    ASOF LEFT JOIN axis AS s ON r.device = s.device AND r.start_ns >= s.at_ns
),
used AS (
    SELECT
        b.device AS device, b.trace_id AS trace_id, b.span_id AS span_id, b.estimated AS estimated, b.begin_nj AS begin_nj,
        e.from_nj + toInt64(intDiv(toInt128(least(b.end_ns, e.until_ns) - e.at_ns) * (e.upto_nj - e.from_nj), greatest(e.until_ns - e.at_ns, 1))) AS end_nj,
        intDiv(toInt256(greatest(end_nj - begin_nj, 0)) * 16777216 * b.claim_ns, toInt256(b.ran_ns)) AS cpu_units
    FROM begun AS b
    ASOF INNER JOIN axis AS e ON b.device = e.device AND b.end_ns >= e.at_ns
)
SELECT {settlement:UInt64} AS settlement, device, trace_id, span_id, estimated, begin_nj, end_nj, cpu_units
FROM used
WHERE cpu_units > 0
