-- What was taken in from the hours beside has told what it had to tell: the hour keeps what began in it.
-- What is known of these calls besides is joined to spans from here on, so it goes with them.
-- Where there is: work_edges
DELETE FROM work_spans
WHERE settlement = {settlement:UInt64} AND (start_time < {window:DateTime('UTC')} OR start_time >= {until:DateTime64(9, 'UTC')})
