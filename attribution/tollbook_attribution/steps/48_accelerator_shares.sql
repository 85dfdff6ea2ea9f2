-- How much of its slice did each span have, and how long was the slice in each state?
-- Events in order of time: between two of them a slice is active where a span holds it, else loading, else waiting, else held; what is
-- in force shares the time by weight. One pass: the integral of 1 / weight up to each event, so a span's share is its weight x the
-- difference between its end and its start. In ns x 2^48, so that what is cut off is less than the 18th decimal of any money.
-- Events of one instant come in any order, and in each window in another: the integral is taken up to the instant, never up to an event.
-- Where there is: work_held_spans
INSERT INTO work_shares
WITH events AS (
    SELECT
        device, slice, state, subject, trace_id, span_id, weight,
        event.1 AS sign,
        event.2 AS at
    FROM work_holds
    ARRAY JOIN [(toInt8(1), start_ns), (toInt8(-1), end_ns)] AS event
    WHERE settlement = {settlement:UInt64}
),
weighed AS (
    SELECT
        device, slice, state, subject, trace_id, span_id, weight, sign, at,
        at - lagInFrame(at, 1, at) OVER each AS elapsed,
        toInt64(sum(if(state = 'active', sign * toInt64(weight), 0)) OVER each) - if(state = 'active', sign * toInt64(weight), 0) AS active,
        toInt64(sum(if(state = 'loading', sign * toInt64(weight), 0)) OVER each) - if(state = 'loading', sign * toInt64(weight), 0) AS loading,
        toInt64(sum(if(state = 'waiting', sign, 0)) OVER each) - if(state = 'waiting', sign, 0) AS waiting,
        toInt64(sum(if(state = 'held', sign, 0)) OVER each) - if(state = 'held', sign, 0) AS held
    FROM events
    WINDOW each AS (PARTITION BY device, slice ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
),
swept AS (
    SELECT
        device, slice, state, subject, trace_id, span_id, weight, sign,
        multiIf(active > 0, 'active', loading > 0, 'loading', waiting > 0, 'waiting', 'held') AS force,
        intDiv(toInt128(elapsed) * 281474976710656, greatest(multiIf(active > 0, active, loading > 0, loading, waiting > 0, waiting, held), 1)) AS gained,
        sum(if(force = 'active', gained, 0)) OVER each AS active_units,
        sum(if(force = 'loading', gained, 0)) OVER each AS loading_units,
        sum(if(force = 'waiting', gained, 0)) OVER each AS waiting_units,
        sum(if(force = 'held' AND held > 0, gained, 0)) OVER each AS held_units
    FROM weighed
    WINDOW each AS (PARTITION BY device, slice ORDER BY at RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
)
SELECT
    {settlement:UInt64} AS settlement,
    device,
    slice,
    state,
    subject,
    trace_id,
    span_id,
    toUInt256(sum(
        toInt256(multiIf(state = 'active', active_units, state = 'loading', loading_units, state = 'waiting', waiting_units, held_units)) * sign * -1
            * toInt64(weight)
    )) AS units
FROM swept
GROUP BY device, slice, state, subject, trace_id, span_id
HAVING units > 0
