-- What did each machine cost in the time that it was seen? Its rates, each for its time. Without a rate its cost is unknown.
-- The rate says what of it is for CPUs, memory and accelerators. Of machines that were paid for ahead, each costs its time's share of that;
-- where there are more of them than were paid for, all of them that share, and the rate for the rest of their time. What was paid ahead in money (a savings
-- plan) pays alike for what machines cost at their rates, where no such machines were paid for. Spot machines use neither.
-- Where there is: hosts
INSERT INTO hosts_settled
WITH seen AS (
    SELECT *, kinds[-1].2 AS host_type FROM work_seen_hosts WHERE settlement = {settlement:UInt64}
),
claims AS (
    SELECT s.host AS host, sum(e.claim_ns) AS claimed_ns
    FROM work_efforts AS e
    INNER JOIN work_spans AS s ON e.trace_id = s.trace_id AND e.span_id = s.span_id
    WHERE e.settlement = {settlement:UInt64} AND s.settlement = {settlement:UInt64} AND e.claim_ns > 0
    GROUP BY s.host
),
rated AS (
    SELECT
        host,
        count() AS terms,
        toInt256(greatest(sum(work_rate_terms.until_ns - work_rate_terms.from_ns), 1)) AS ns,
        if(uniqExact(rate_id) = 1, any(vcpus), toDecimal128(reinterpret(intDiv(capacity_units, ns), 'Decimal256(3)'), 3)) AS mean_vcpus,
        sum(toInt256(reinterpret(toDecimal256(vcpus, 3), 'Int256')) * (until_ns - from_ns)) AS capacity_units,
        if(
            uniqExact(rate_id) = 1 OR countIf(isNotNull(memory_gib)) = 0, any(memory_gib),
            toDecimal128(reinterpret(intDiv(sum(reinterpret(toDecimal256(ifNull(memory_gib, 0), 3), 'Int256') * (until_ns - from_ns)), ns), 'Decimal256(3)'), 3)
        ) AS mean_memory_gib,
        sum(usd_units * (until_ns - from_ns)) AS usd_ns,
        sum(memory_units * (until_ns - from_ns)) AS memory_usd_ns,
        sum(accelerator_units * (until_ns - from_ns)) AS accelerator_usd_ns,
        toDecimal128(reinterpret(if(uniqExact(rate_id) = 1, any(usd_units), intDiv(usd_ns, ns)), 'Decimal256(18)'), 18) AS usd_per_hour,
        arrayStringConcat(arrayDistinct(arrayMap(t -> t.2, arraySort(groupArray((from_ns, toString(rate_id)))))), '+') AS rate_id_list,
        argMax(accelerators, from_ns) AS newest_accelerators,
        argMax(split, from_ns) AS newest_split
    FROM work_rate_terms
    WHERE settlement = {settlement:UInt64}
    GROUP BY host
),
memory AS (
    SELECT
        host,
        sum(toInt256(bytes) * held_ns) AS used_byte_ns,
        sum(toInt256(bytes) * if(self_ns > 0, spans_ns, 0)) AS claimed_byte_ns
    FROM work_process_memory
    WHERE settlement = {settlement:UInt64}
    GROUP BY host
),
-- what a machine uses of it: its time, in ns, or what it costs at its rates, in units of the 18th decimal
committed AS (
    SELECT
        covers, region, unit, sum(w.amount_usd) AS usd, arrayStringConcat(arraySort(groupArray(toString(commitment_id))), '+') AS ids,
        greatest(if(
            unit = 'usd', reinterpret(sum(if(w.capacity > 0, toDecimal256(w.capacity, 18), toDecimal256(w.amount_usd, 18))), 'Int256'),
            toInt256(toDecimal256(sum(w.capacity), 9) * toInt256(3600000000000))
        ), toInt256(1)) AS capacity
    FROM work_commitments AS w
    WHERE w.settlement = {settlement:UInt64} AND w.unit IN ('host_hour', 'usd') AND (w.capacity > 0 OR w.unit = 'usd')
    GROUP BY covers, region, unit
),
offered AS (
    SELECT
        seen.host AS host,
        argMax(
            (
                c.usd, c.ids, c.capacity,
                if(
                    c.unit = 'usd', intDiv(rated.usd_ns, toInt256(3600000000000)),
                    toInt256(toUnixTimestamp64Nano(seen.last_seen) - toUnixTimestamp64Nano(seen.first_seen))
                )
            ),
            (c.unit = 'host_hour', c.covers != '', c.region, c.ids)
        ) AS offer
    FROM committed AS c
    INNER JOIN seen ON true
    INNER JOIN rated ON seen.host = rated.host
    WHERE c.region IN ('', seen.region) AND (c.covers = seen.host_type OR (c.unit = 'usd' AND c.covers = '')) AND seen.purchase != 'spot'
    GROUP BY seen.host
),
covered AS (
    SELECT
        host, sum(offer.4) OVER (PARTITION BY offer.2) AS used,
        (offer.1, offer.2, greatest(offer.3, used), greatest(used - offer.3, toInt256(0)), greatest(used, toInt256(1)), offer.4) AS deal
    FROM offered
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    seen.host AS host,
    seen.host_name AS host_name,
    seen.host_type AS host_type,
    seen.region AS region,
    seen.cluster AS cluster,
    seen.first_seen AS first_seen,
    seen.last_seen AS last_seen,
    toUnixTimestamp64Nano(seen.last_seen) - toUnixTimestamp64Nano(seen.first_seen) AS observed_ns,
    if(rated.terms = 0, NULL, rated.mean_vcpus) AS vcpus,
    if(rated.terms = 0, NULL, toInt64(intDiv(rated.capacity_units, 1000))) AS capacity_ns,
    ifNull(claims.claimed_ns, 0) AS claimed_ns,
    rated.rate_id_list AS rate_id,
    if(rated.terms = 0, NULL, rated.usd_per_hour) AS usd_per_hour,
    if(
        rated.terms = 0, NULL,
        committed_usd + toDecimal128(
            reinterpret(rated.usd_ns, 'Decimal256(18)') * if(covered.host = '', toInt256(1), covered.deal.4)
                / if(covered.host = '', toInt256(1), covered.deal.5) / toInt256(3600000000000),
            18
        )
    ) AS amount_usd,
    amount_usd - memory_usd - accelerator_usd AS cpu_usd,
    if(
        rated.terms = 0, NULL,
        toDecimal128(toDecimal256(assumeNotNull(amount_usd), 18) * rated.memory_usd_ns / greatest(rated.usd_ns, toInt256(1)), 18)
    ) AS memory_usd,
    if(
        rated.terms = 0, NULL,
        toDecimal128(toDecimal256(assumeNotNull(amount_usd), 18) * rated.accelerator_usd_ns / greatest(rated.usd_ns, toInt256(1)), 18)
    ) AS accelerator_usd,
    rated.newest_accelerators AS accelerators,
    rated.newest_split AS split,
    if(busy.host = '', NULL, toInt64(round(busy.busy_seconds * 1000000000))) AS busy_ns,
    if(rated.terms = 0, NULL, rated.mean_memory_gib) AS memory_gib,
    if(memory.host = '', NULL, toDecimal128(toDecimal256(memory.used_byte_ns, 9) / toInt256(1073741824000000000), 9)) AS memory_used_gib_s,
    if(memory.host = '', NULL, toDecimal128(toDecimal256(memory.claimed_byte_ns, 9) / toInt256(1073741824000000000), 9)) AS memory_claimed_gib_s,
    toDecimal128(toDecimal256(covered.deal.1, 18) * covered.deal.6 / greatest(covered.deal.3, toInt256(1)), 18) AS committed_usd,
    covered.deal.2 AS commitment,
    seen.purchase AS purchase
FROM seen
LEFT ANY JOIN claims ON seen.host = claims.host
LEFT ANY JOIN rated ON seen.host = rated.host
LEFT ANY JOIN (SELECT * FROM work_busy_cpus WHERE settlement = {settlement:UInt64}) AS busy ON seen.host = busy.host
LEFT ANY JOIN memory ON seen.host = memory.host
LEFT ANY JOIN covered ON seen.host = covered.host
