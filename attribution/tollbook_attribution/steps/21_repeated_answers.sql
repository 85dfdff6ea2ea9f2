-- Which answers are named more than once, and by how many traces? 17 stands for more: an id that many traces share is no name of an answer.
-- Most answers are named once: these go first, and what is counted of them spills to disk where an hour has tens of millions.
-- Where there is: work_calls
INSERT INTO work_repeated_answers
WITH repeated AS (
    SELECT cityHash64(response_id) AS answer
    FROM work_calls
    WHERE settlement = {settlement:UInt64} AND response_id != ''
    GROUP BY answer
    HAVING count() > 1
)
SELECT {settlement:UInt64} AS settlement, cityHash64(response_id) AS answer, uniqUpTo(16)(trace_id) AS traces
FROM work_calls
WHERE settlement = {settlement:UInt64} AND response_id != '' AND answer IN (SELECT answer FROM repeated)
GROUP BY answer
SETTINGS max_bytes_before_external_group_by = 500000000
