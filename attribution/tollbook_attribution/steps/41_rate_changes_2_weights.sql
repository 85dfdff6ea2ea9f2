-- How much more or less than in the mean of the hour did a machine cost while a span ran on it?
-- Weights are in millionths of millionths. They are brought down where the claims of all, so weighed, exceed the machine, and up to it where all
-- claim more than it has: shares sum to no more than the machine, and to all of it where they did before.
-- Where there is: work_rate_changes
INSERT INTO work_rate_weights
WITH machines AS (
    SELECT host, intDiv(sum(usd_units * cpu_units), sum(cpu_units)) AS mean_units
    FROM work_rate_changes
    WHERE settlement = {settlement:UInt64}
    GROUP BY host
    HAVING mean_units > 0
),
weighed AS (
    SELECT
        s.trace_id AS trace_id, s.span_id AS span_id, s.host AS host, any(e.claim_ns) AS claim_ns,
        sum(t.usd_units * greatest(least(s.end_ns, t.until_ns) - greatest(s.start_ns, t.from_ns), 0)) AS paid,
        sum(toInt256(greatest(least(s.end_ns, t.until_ns) - greatest(s.start_ns, t.from_ns), 0))) AS ran_ns
    FROM (SELECT * FROM work_efforts WHERE settlement = {settlement:UInt64} AND claim_ns > 0) AS e
    INNER JOIN (
        SELECT
            trace_id, span_id, host, toUnixTimestamp64Nano(start_time) AS start_ns,
            toUnixTimestamp64Nano(start_time) + greatest(duration_ns, 1) AS end_ns
        FROM work_spans
        WHERE settlement = {settlement:UInt64} AND host IN (SELECT host FROM machines)
    ) AS s ON e.trace_id = s.trace_id AND e.span_id = s.span_id
    INNER JOIN (SELECT * FROM work_rate_changes WHERE settlement = {settlement:UInt64}) AS t ON s.host = t.host
    GROUP BY s.trace_id, s.span_id, s.host
    HAVING ran_ns > 0
),
bare AS (
    SELECT
        w.trace_id AS trace_id, w.span_id AS span_id, w.host AS host, w.claim_ns AS claim_ns,
        intDiv(w.paid * 1000000000000, w.ran_ns * m.mean_units) AS parts
    FROM weighed AS w
    INNER JOIN machines AS m ON w.host = m.host
),
sums AS (
    SELECT host, sum(bare.parts * bare.claim_ns) AS claimed, sum(toInt256(bare.claim_ns)) AS all_claims FROM bare GROUP BY host HAVING claimed > 0
)
SELECT
    {settlement:UInt64} AS settlement,
    b.trace_id AS trace_id,
    b.span_id AS span_id,
    toInt64(multiIf(
        u.all_claims > h.capacity_ns, intDiv(b.parts * u.all_claims * 1000000000000, u.claimed),
        u.claimed > toInt256(h.capacity_ns) * 1000000000000, intDiv(b.parts * h.capacity_ns * 1000000000000, u.claimed),
        b.parts
    )) AS weight
FROM bare AS b
INNER JOIN sums AS u ON b.host = u.host
INNER JOIN (
    SELECT host, assumeNotNull(capacity_ns) AS capacity_ns FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != ''
) AS h ON b.host = h.host
