-- Into which ranges of trace ids does the hour fall, so that each holds about as many spans? The ids after which a range ends, but for the last.
SELECT if(pieces = 1, [], arrayDistinct(arrayMap(piece -> sample[intDiv(piece * length(sample), pieces)], range(1, pieces)))) AS ends
FROM (
    SELECT
        toUInt32(ceil(count() / ({spans_at_a_time:UInt32} * {side_by_side:UInt32})) * {side_by_side:UInt32}) AS pieces,
        arraySort(groupArraySample(20000, 1)(hex(trace_id))) AS sample
    FROM spans
    WHERE tenant = {tenant:String} AND start_time >= {window:DateTime('UTC')} AND start_time < {until:DateTime64(9, 'UTC')}
)
