-- What is the result? From this row on, readers see this settlement of the window.
INSERT INTO settlements
WITH previous AS (
    SELECT max(settlement) AS id, argMax(amount_usd, settlement) AS amount_usd
    FROM settlements
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')}
),
lines AS (
    SELECT count() AS lines, sum(amount_usd) AS amount_usd
    FROM ledger_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
)
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    now64(3, 'UTC') AS settled_at,
    map('tollbook', {program:String}, 'dialects', {dialects:String}, 'genai-prices', {book:String}) AS versions,
    {facts:UInt64} AS facts,
    (SELECT count() FROM work_spans WHERE settlement = {settlement:UInt64}) AS spans,
    (SELECT count() FROM requests_settled WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}) AS requests,
    (
        SELECT countIf(role = 'counted') FROM calls_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
    ) AS calls,
    (
        SELECT countIf(role = 'counted' AND price_status = 'unpriced') FROM calls_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
    ) AS unpriced_calls,
    lines.lines AS lines,
    lines.amount_usd AS amount_usd,
    previous.id AS previous,
    lines.amount_usd - previous.amount_usd AS difference_usd,
    ['tokens', 'compute', 'accelerator', 'storage', 'transfer', 'third_party', 'shared', 'energy'] AS covered,
    CAST([], 'Array(LowCardinality(String))') AS not_covered,
    (
        SELECT countIf(rate_id = '') FROM hosts_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
    ) AS unrated_hosts,
    toUnixTimestamp64Milli(now64(3)) - intDiv({settlement:UInt64}, 1000000) AS duration_ms
FROM previous
CROSS JOIN lines
