-- Which answers do several traces name? An id that many traces share is no name of an answer.
-- Most answers are named by one trace: these go first, and what is counted of them spills to disk where an hour has tens of millions.
INSERT INTO work_shared_answers
WITH several AS (
    SELECT cityHash64(response_id) AS answer
    FROM work_calls
    WHERE settlement = {settlement:UInt64} AND response_id != ''
    GROUP BY answer
    HAVING min(trace_id) != max(trace_id)
)
SELECT {settlement:UInt64} AS settlement, cityHash64(response_id) AS answer
FROM work_calls
WHERE settlement = {settlement:UInt64} AND response_id != '' AND answer IN (SELECT answer FROM several)
GROUP BY answer
HAVING uniqUpTo(16)(trace_id) <= 16
SETTINGS max_bytes_before_external_group_by = 500000000
