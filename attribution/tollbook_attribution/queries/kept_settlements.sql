-- Which settlements of these hours do readers see?
SELECT settlement FROM current_settlements WHERE has({seconds:Array(UInt32)}, toUnixTimestamp(window))
