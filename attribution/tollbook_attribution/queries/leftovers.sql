-- Which settlements have left rows in the work tables, a day or longer ago?
SELECT DISTINCT settlement
FROM (
    SELECT settlement FROM work_spans
    UNION ALL
    SELECT settlement FROM work_efforts
    UNION ALL
    SELECT settlement FROM work_calls
    UNION ALL
    SELECT settlement FROM work_priced
)
WHERE settlement < toUInt64(toUnixTimestamp(now() - INTERVAL 1 DAY)) * 1000000000
