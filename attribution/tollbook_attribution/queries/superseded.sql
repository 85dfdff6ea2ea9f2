-- Are there rows of settlements that no reader sees?
SELECT 1 AS found FROM any_settled
WHERE window BETWEEN {first:DateTime('UTC')} AND {last:DateTime('UTC')} AND has({seconds:Array(UInt32)}, toUnixTimestamp(window))
    AND settlement NOT IN {kept:Array(UInt64)}
LIMIT 1
