-- What has been seen of the hours beside? Where they get facts, they are looked at again, and where these change what was seen, the hour is settled again.
INSERT INTO edges_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    (
        SELECT sum(digest) FROM work_beside
        WHERE settlement = {settlement:UInt64} AND NOT is_here AND trace_id IN (SELECT trace_id FROM work_edges WHERE settlement = {settlement:UInt64})
    ) AS digest,
    before AS facts_before,
    after AS facts_after,
    now64(6, 'UTC') AS looked_at
FROM work_beside_facts
WHERE settlement = {settlement:UInt64}
