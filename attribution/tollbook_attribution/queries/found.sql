-- Has this settlement rows in a work table?
SELECT 1 AS found FROM any_table WHERE settlement = {settlement:UInt64} LIMIT 1
