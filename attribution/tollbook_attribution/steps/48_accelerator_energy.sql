-- Who held which slice while the device took which energy? The same holds a second time, on an axis of energy in the place of time.
-- So whoever holds a device while it draws much bears much, and shares of energy add up as those of time do.
-- Where there is: work_energy
INSERT INTO work_holds
SELECT
    {settlement:UInt64} AS settlement,
    concat('energy:', b.device) AS device,
    b.slice AS slice,
    b.state AS state,
    b.subject AS subject,
    b.trace_id AS trace_id,
    b.span_id AS span_id,
    b.weight AS weight,
    b.begin_nj AS start_ns,
    e.from_nj + toInt64(intDiv(toInt128(least(b.end_ns, e.until_ns) - e.at_ns) * (e.upto_nj - e.from_nj), greatest(e.until_ns - e.at_ns, 1))) AS end_ns
FROM (
    SELECT
        h.device AS device, h.slice AS slice, h.state AS state, h.subject AS subject, h.trace_id AS trace_id, h.span_id AS span_id, h.weight AS weight,
        h.end_ns AS end_ns,
        s.from_nj + toInt64(intDiv(toInt128(least(h.start_ns, s.until_ns) - s.at_ns) * (s.upto_nj - s.from_nj), greatest(s.until_ns - s.at_ns, 1))) AS begin_nj
    FROM (SELECT * FROM work_holds WHERE settlement = {settlement:UInt64} AND NOT startsWith(device, 'energy:')) AS h
    ASOF LEFT JOIN (SELECT * FROM work_energy WHERE settlement = {settlement:UInt64}) AS s ON h.device = s.device AND h.start_ns >= s.at_ns
) AS b
ASOF INNER JOIN (SELECT * FROM work_energy WHERE settlement = {settlement:UInt64}) AS e ON b.device = e.device AND b.end_ns >= e.at_ns
WHERE end_ns > start_ns
