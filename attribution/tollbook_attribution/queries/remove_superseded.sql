-- What is no longer seen? Rows of settlements of these hours that are not in force.
DELETE FROM any_settled
WHERE window BETWEEN {first:DateTime('UTC')} AND {last:DateTime('UTC')} AND has({seconds:Array(UInt32)}, toUnixTimestamp(window))
    AND settlement NOT IN {kept:Array(UInt64)}
