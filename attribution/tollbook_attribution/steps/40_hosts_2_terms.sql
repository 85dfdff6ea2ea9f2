-- Which rate was in force for each machine, and when?
-- Those of its type from its first fact on, each for its time: of how it was bought before those of any way, of its own region before one of every
-- region, then the latest. A machine that does not say how it was bought is on demand. One without a rate for a part of its time has none.
-- Where there is: hosts
-- Where there is: rates
INSERT INTO work_rate_terms
SELECT
    {settlement:UInt64} AS settlement,
    host,
    term.1 AS from_ns,
    term.2 AS until_ns,
    term.3.1 AS rate_id,
    term.3.2 AS vcpus,
    term.3.3 AS memory_gib,
    reinterpret(toDecimal256(term.3.4, 18), 'Int256') AS usd_units,
    reinterpret(toDecimal256(term.3.5, 18), 'Int256') AS memory_units,
    reinterpret(toDecimal256(term.3.6, 18), 'Int256') AS accelerator_units,
    term.3.7 AS accelerators,
    term.3.8 AS split
FROM (
    SELECT
        s.host AS host,
        any(s.first_ns) AS first_ns,
        any(s.last_ns) AS last_ns,
        arrayReverseSort(o -> o.1, groupArray((
            (r.purchase != '', r.region = s.region, r.valid_from, r.set_at, r.rate_id),
            greatest(toInt64(toUnixTimestamp(r.valid_from)) * 1000000000, s.kind_ns),
            s.ends_ns,
            (r.rate_id, r.vcpus, r.memory_gib, r.usd_per_hour, r.memory_usd_per_hour, r.accelerator_usd_per_hour, r.accelerators, r.split)
        ))) AS offers,
        arrayDistinct(arraySort(arrayMap(
            at -> greatest(at, first_ns),
            arrayFilter(at -> at < greatest(last_ns, first_ns + 1), arrayConcat([first_ns], offers.2, any(s.turns_ns)))
        ))) AS begins,
        arrayMap(
            (at, until) -> (at, until, arrayFirst(o -> o.2 <= at AND at < o.3, offers).4), begins, arrayPushBack(arrayPopFront(begins), last_ns)
        ) AS terms
    FROM (
        SELECT
            host, region, purchase, toUnixTimestamp64Nano(first_seen) AS first_ns, toUnixTimestamp64Nano(last_seen) AS last_ns, kinds.1 AS turns_ns,
            kind.1 AS kind_ns, ends_ns, kind.2 AS host_type
        FROM work_seen_hosts
        ARRAY JOIN kinds AS kind, arrayPopFront(arrayPushBack(kinds.1, toInt64(9223372036854775807))) AS ends_ns
        WHERE settlement = {settlement:UInt64}
    ) AS s
    INNER JOIN instance_rates AS r ON s.host_type = r.instance_type
    WHERE r.region IN ('', s.region) AND r.purchase IN ('', if(s.purchase = '', 'on_demand', s.purchase))
    GROUP BY s.host
    HAVING arrayAll(term -> term.3.1 != '', terms)
)
ARRAY JOIN terms AS term
