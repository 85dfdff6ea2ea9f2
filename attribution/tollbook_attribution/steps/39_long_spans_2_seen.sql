-- What has been seen of the hours that they began in? Where these get facts they are looked at again, and where that changes what was seen, this hour is settled again.
-- Where there is: work_long_spans
INSERT INTO long_spans_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    (
        SELECT sum(cityHash64(toString(tuple(* EXCEPT settlement)))) FROM work_spans AS s
        WHERE s.settlement > {settlement:UInt64} AND s.settlement < {long:UInt64}
    ) AS digest,
    groupArray(h.began) AS hours,
    sum(h.facts) AS facts,
    now64(6, 'UTC') AS looked_at
FROM (SELECT DISTINCT began, w.facts AS facts FROM work_long_spans AS w WHERE w.settlement = {settlement:UInt64}) AS h
HAVING count() > 0
