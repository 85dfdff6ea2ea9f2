-- What of what was paid ahead falls to this hour? Its time's share of the period; parts are differences of rounded-off sums, so the hours
-- of a period add up to what was paid. Of one name the row that was set last holds. Without an exchange rate it is unknown and left out.
-- The last hour of a day without facts is booked with the other quiet hours of the day (`49_left_over_2_quiet_hours`).
-- Where there is: commitments
INSERT INTO work_commitments
SELECT
    {settlement:UInt64} AS settlement,
    c.commitment_id AS commitment_id,
    c.kind AS kind,
    c.provider AS provider,
    c.covers AS covers,
    c.region AS region,
    c.account AS account,
    c.unit AS unit,
    toDecimal128(toDecimal256(ifNull(c.capacity_per_hour, 0), 9) * toInt256(c.until_s - c.since_s) / toInt256(3600), 9) AS capacity,
    toDecimal128(toDecimal256(c.amount, 18) * toInt256(c.until_s - c.from_s) / toInt256(c.to_s - c.from_s) * x.usd_per_unit, 18)
    - toDecimal128(toDecimal256(c.amount, 18) * toInt256(c.since_s - c.from_s) / toInt256(c.to_s - c.from_s) * x.usd_per_unit, 18) AS amount_usd,
    toString(c.valid_from) AS version
FROM (
    SELECT
        *,
        toInt64(toUnixTimestamp(valid_from)) AS from_s,
        toInt64(toUnixTimestamp(valid_until)) AS to_s,
        greatest(from_s, toInt64(toUnixTimestamp({window:DateTime('UTC')}))) AS since_s,
        least(to_s, toInt64(toUnixTimestamp({window:DateTime('UTC')})) + 3600) AS until_s
    FROM (
        SELECT * FROM commitments
        WHERE tenant = {tenant:String}
        ORDER BY set_at DESC
        LIMIT 1 BY commitment_id
    )
    WHERE ({facts:UInt64} > 0 OR toHour({window:DateTime('UTC')}) != 23) AND valid_from < {window:DateTime('UTC')} + INTERVAL 1 HOUR AND valid_until > {window:DateTime('UTC')} AND amount > 0
) AS c
INNER JOIN (
    SELECT currency, usd_per_unit FROM daily_exchange_rates WHERE day = toDate({window:DateTime('UTC')}) AND currency != 'USD'
    UNION ALL
    SELECT 'USD' AS currency, toDecimal128(1, 18) AS usd_per_unit
) AS x ON c.currency = x.currency
