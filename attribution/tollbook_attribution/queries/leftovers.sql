-- Which settlements have left rows in a work table, a day or longer ago?
SELECT DISTINCT settlement FROM work_table WHERE settlement < toUInt64(toUnixTimestamp(now() - INTERVAL 1 DAY)) * 1000000000
