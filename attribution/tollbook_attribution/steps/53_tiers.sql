-- How many bytes has each kind of transfer moved in the month, and where in it does each flow stand?
-- Tiers count the bytes of the calendar month (UTC) of one tenant, provider, account, region and class: those of earlier hours as they are
-- settled, then those of this hour in order of time. Where late data moves the bytes of an hour, later hours that this brings over the end of a
-- tier are settled again: queries/moved_tiers.sql. Flows are put in order only where a price has tiers.
-- Where there is: work_flows
INSERT INTO transfer_volumes_settled
SELECT
    {window:DateTime('UTC')} AS window,
    {tenant:String} AS tenant,
    {settlement:UInt64} AS settlement,
    f.cloud AS provider,
    f.account AS account,
    f.region AS region,
    f.class AS item,
    f.sent AS bytes,
    ifNull(m.sent, 0) AS month_bytes
FROM (
    SELECT cloud, account, region, class, toUInt64(sum(bytes)) AS sent
    FROM work_flows
    WHERE settlement = {settlement:UInt64} AND class != 'unknown'
    GROUP BY cloud, account, region, class
) AS f
LEFT ANY JOIN (
    SELECT v.provider AS cloud, v.account AS account, v.region AS region, v.item AS class, sum(v.bytes) AS sent
    FROM transfer_volumes AS v
    WHERE v.tenant = {tenant:String} AND v.window >= toStartOfMonth({window:DateTime('UTC')}) AND v.window < {window:DateTime('UTC')}
    GROUP BY v.provider, v.account, v.region, v.item
) AS m ON f.cloud = m.cloud AND f.account = m.account AND f.region = m.region AND f.class = m.class;

INSERT INTO work_tier_places
SELECT
    {settlement:UInt64} AS settlement,
    f.trace_id AS trace_id, f.span_id AS span_id, f.way AS way, f.class AS class,
    toInt256(v.month_bytes) + sum(toInt256(f.bytes)) OVER (
        PARTITION BY f.cloud, f.account, f.region, f.class ORDER BY f.start_time, f.trace_id, f.span_id, f.way
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) - f.bytes AS sent_before
FROM (SELECT * FROM work_flows WHERE settlement = {settlement:UInt64}) AS f
INNER JOIN (
    SELECT provider, account, region, item, month_bytes
    FROM transfer_volumes_settled
    WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
        AND item IN (
            SELECT item FROM current_prices
            WHERE category = 'transfer' AND tenant IN ('', {tenant:String}) AND (min_quantity > 0 OR max_quantity < 9223372036854775807)
        )
) AS v ON f.cloud = v.provider AND f.account = v.account AND f.region = v.region AND f.class = v.item
