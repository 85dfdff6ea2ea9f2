-- Whose is the energy that each part of a machine took?
-- A span has of what was drawn while it ran the share of the CPUs that it used; where all claim more than there is, all of it is shared. Where
-- nobody says how many CPUs there are, what was drawn while any span ran is shared by what they claim: an estimate. The rest is nobody's.
-- Where there is: work_machine_uses
INSERT INTO work_machine_shares
WITH totals AS (
    SELECT
        device, sum(u.cpu_units) AS cpu_units,
        toInt256(intervalLengthSumIf(
            begin_nj, end_nj, device IN (SELECT device FROM work_machine_parts WHERE settlement = {settlement:UInt64} AND cpus = 0)
        )) * 16777216 AS drawn_units
    FROM work_machine_uses AS u
    WHERE u.settlement = {settlement:UInt64}
    GROUP BY device
)
SELECT
    {settlement:UInt64} AS settlement,
    u.device AS device,
    u.trace_id AS trace_id,
    u.span_id AS span_id,
    u.estimated OR p.thousandths = 0 AS estimated,
    if(
        p.thousandths > 0,
        intDiv(u.cpu_units * 1000 * p.all_units, greatest(p.all_units * p.thousandths, t.cpu_units * 1000)),
        intDiv(u.cpu_units * t.drawn_units, t.cpu_units)
    ) AS units
FROM (SELECT * FROM work_machine_uses WHERE settlement = {settlement:UInt64}) AS u
INNER JOIN totals AS t ON u.device = t.device
INNER JOIN (
    SELECT device, reinterpret(toDecimal256(cpus, 3), 'Int256') AS thousandths, toInt256(axis_nj) * 16777216 AS all_units
    FROM work_machine_parts
    WHERE settlement = {settlement:UInt64}
) AS p ON u.device = p.device
