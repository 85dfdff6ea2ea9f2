-- What of the bill belongs to which hour? What estimates explain is split over their hours as they are, to the last digit; the rest is put
-- where its charge begins: in its hour, or of longer charges and of those without telemetry in the first hour of its day.
INSERT INTO bill_shares
WITH hours AS (
    SELECT
        m.match_id AS match_id, e.window AS window,
        toInt256(toDecimal256(sum(e.amount_usd), 18) * toInt256('1000000000000000000')) AS weight,
        any(toInt256(toDecimal256(m.explained, 18) * toInt256('1000000000000000000'))) AS whole,
        any(toInt256(toDecimal256(m.explained_usd, 18) * toInt256('1000000000000000000'))) AS whole_usd
    FROM (SELECT * FROM bill_matches WHERE tenant = {tenant:String} AND run = {run:UInt64} AND resource != '' AND isNotNull(usd_per_unit)) AS m
    INNER JOIN (SELECT * FROM estimates WHERE tenant = {tenant:String}) AS e ON m.category = e.category
    WHERE (m.resource = e.resource OR (m.resource = '*' AND m.ledger_provider = e.provider))
        AND (m.ledger_account = '' OR m.ledger_account = e.account)
        AND e.window < greatest(m.charge_period_end, m.charge_period_start + 1) AND e.window + 3600 > m.charge_period_start
    GROUP BY match_id, window
),
upto AS (
    SELECT
        match_id, window, weight, whole, whole_usd,
        sum(weight) OVER (PARTITION BY match_id) AS weights,
        sum(weight) OVER (PARTITION BY match_id ORDER BY window ROWS UNBOUNDED PRECEDING) AS upto
    FROM hours
),
split AS (
    SELECT
        match_id, window,
        toDecimal128(toDecimal256(intDiv(whole * upto, weights) - intDiv(whole * (upto - weight), weights), 18) / toInt256('1000000000000000000'), 18) AS amount,
        toDecimal128(toDecimal256(intDiv(whole_usd * upto, weights) - intDiv(whole_usd * (upto - weight), weights), 18) / toInt256('1000000000000000000'), 18)
            AS amount_usd
    FROM upto
    WHERE weights != 0
)
SELECT
    {tenant:String} AS tenant,
    {run:UInt64} AS run,
    window, billing_period_start, provider, service, account, currency, category, resource, ledger_provider, ledger_account, item,
    sum(s.amount) AS amount,
    sum(s.amount_usd) AS amount_usd
FROM (
    SELECT
        s.window AS window, m.billing_period_start AS billing_period_start, m.provider AS provider, m.service AS service, m.account AS account, m.currency AS currency, m.category AS category,
        m.resource AS resource, m.ledger_provider AS ledger_provider, m.ledger_account AS ledger_account, '' AS item, s.amount AS amount, s.amount_usd AS amount_usd
    FROM split AS s
    INNER JOIN (SELECT * FROM bill_matches WHERE tenant = {tenant:String} AND run = {run:UInt64}) AS m ON s.match_id = m.match_id
    UNION ALL
    SELECT
        greatest(
            if(
                m.resource != '' AND charge_period_end <= charge_period_start + 3600,
                toStartOfHour(charge_period_start), toDateTime(toStartOfDay(charge_period_start), 'UTC')
            ),
            billing_period_start
        ) AS window,
        billing_period_start, provider, service, account, currency, category, '' AS resource, ledger_provider, '' AS ledger_account,
        multiIf(
            m.resource != '', 'usage that no telemetry tells of',
            rule IN ('no telemetry', 'no telemetry in its time'), 'usage without telemetry',
            rule
        ) AS item,
        m.amount - m.explained AS amount,
        m.amount_usd - m.explained_usd AS amount_usd
    FROM bill_matches AS m
    WHERE tenant = {tenant:String} AND run = {run:UInt64} AND isNotNull(usd_per_unit) AND (m.amount != m.explained OR m.amount_usd != m.explained_usd)
) AS s
GROUP BY window, billing_period_start, provider, service, account, currency, category, resource, ledger_provider, ledger_account, item
