-- Which spans ran in this hour and began before it? What happened in the hours that they began in is taken in then, under numbers of its own.
-- Where there is: carried
INSERT INTO work_long_spans
SELECT DISTINCT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    began,
    intDiv(toUInt32({window:DateTime('UTC')}) - toUInt32(began), 3600) AS hours_ago
FROM long_spans
WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')}
