-- How many hours before this one did the spans begin that ran on into it?
SELECT DISTINCT hours_ago FROM work_long_spans WHERE settlement = {settlement:UInt64} ORDER BY hours_ago
