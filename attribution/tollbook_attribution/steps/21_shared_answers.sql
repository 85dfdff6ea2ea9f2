-- Which answers do several traces name? An id that many traces share is no name of an answer.
INSERT INTO work_shared_answers
SELECT {settlement:UInt64} AS settlement, cityHash64(response_id) AS answer
FROM work_calls
WHERE settlement = {settlement:UInt64} AND response_id != ''
GROUP BY answer
HAVING min(trace_id) != max(trace_id) AND uniqUpTo(16)(trace_id) <= 16
