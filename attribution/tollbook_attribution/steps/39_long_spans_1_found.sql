-- Which spans ran in this hour and began before it? What happened in the hours that they began in is taken in then, under numbers of its own.
-- Where there is: carried
INSERT INTO work_long_spans
WITH found AS (
    SELECT DISTINCT trace_id, span_id, began FROM long_spans WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')}
)
SELECT
    {settlement:UInt64} AS settlement,
    l.trace_id AS trace_id,
    l.span_id AS span_id,
    l.began AS began,
    intDiv(toUInt32({window:DateTime('UTC')}) - toUInt32(l.began), 3600) AS hours_ago,
    f.facts AS facts
FROM found AS l
LEFT ANY JOIN (
    SELECT window, sum(fact_hours.facts) AS facts FROM fact_hours
    WHERE tenant = {tenant:String} AND window GLOBAL IN (SELECT began FROM found)
    GROUP BY window
) AS f ON l.began = f.window
