-- How much of what ran can be told what it cost? Spans on no known machine, on machines without a rate, on accelerators without a price.
INSERT INTO machine_coverage_settled (
    window, tenant, settlement, spans, spans_without_host, spans_without_rate, hosts_without_memory, accelerators, accelerators_without_price,
    spans_on_unpriced_accelerators, spans_too_long
)
WITH rated AS (
    SELECT groupUniqArray(host) AS hosts, countIf(memory_usd > 0 AND isNull(memory_used_gib_s)) AS hosts_without_memory
    FROM hosts_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != ''
),
devices AS (
    SELECT count() AS accelerators, countIf(isNull(amount_usd)) AS accelerators_without_price, groupArrayIf(device, isNull(amount_usd)) AS unpriced
    FROM work_devices
    WHERE settlement = {settlement:UInt64}
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    count() AS spans,
    countIf(host = '') AS spans_without_host,
    countIf(host != '' AND NOT has((SELECT hosts FROM rated), host)) AS spans_without_rate,
    (SELECT hosts_without_memory FROM rated) AS hosts_without_memory,
    (SELECT accelerators FROM devices) AS accelerators,
    (SELECT accelerators_without_price FROM devices) AS accelerators_without_price,
    (
        SELECT count() FROM work_held_spans
        WHERE settlement = {settlement:UInt64} AND state = 'active' AND has((SELECT unpriced FROM devices), device)
    ) AS spans_on_unpriced_accelerators,
    countIf((host != '' OR accelerator_id != '') AND duration_ns > 604800000000000) AS spans_too_long
FROM work_spans
WHERE settlement = {settlement:UInt64}
