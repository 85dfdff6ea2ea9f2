-- Which machines' rates changed within the hour, and which was in force when?
-- Where there is: hosts
-- Where there is: rates
INSERT INTO work_rate_terms
SELECT
    {settlement:UInt64} AS settlement,
    host,
    term.1 AS from_ns,
    term.2 AS until_ns,
    reinterpret(toDecimal256(term.3, 18), 'Int256') AS usd_units
FROM (
    SELECT
        h.host AS host,
        toUnixTimestamp64Nano(any(h.first_seen)) AS first_ns,
        toUnixTimestamp64Nano(any(h.last_seen)) AS last_ns,
        arrayReverseSort(o -> o.1, groupArray((
            (r.region = h.region, r.valid_from, r.set_at, r.rate_id), toInt64(toUnixTimestamp(r.valid_from)) * 1000000000, r.usd_per_hour
        ))) AS offers,
        arrayDistinct(arraySort(arrayMap(o -> greatest(o.2, first_ns), offers))) AS begins,
        arrayMap((at, until) -> (at, until, arrayFirst(o -> o.2 <= at, offers).3), begins, arrayPushBack(arrayPopFront(begins), last_ns)) AS terms
    FROM hosts_settled AS h
    INNER JOIN instance_rates AS r ON h.host_type = r.instance_type
    WHERE h.tenant = {tenant:String} AND h.window = {window:DateTime('UTC')} AND h.settlement = {settlement:UInt64} AND position(h.rate_id, '+') > 0
        AND r.region IN ('', h.region) AND r.valid_from < h.last_seen
    GROUP BY h.host
)
ARRAY JOIN terms AS term
WHERE term.2 > term.1
