-- What of the bill belongs to which hour? What estimates explain is split over their hours as they are, to the last digit; the rest is put
-- where its charge begins: in its hour, or of longer charges and of those without telemetry in the first hour of its day.
-- Calls without a price take part with their tokens: beside calls that have one at what a token of these costs on average. Where no call of a charge
-- tells of tokens, each counts alike. What they get is a share of its own, so that in its hour it is split over them alone.
-- Where nothing of a charge has an estimate, such as a model that lists at nothing or a machine without a rate, all of it is split by what was used.
INSERT INTO bill_shares
WITH told AS (
    SELECT
        m.match_id AS match_id, e.window AS window,
        toInt256(toDecimal256(sum(e.amount_usd), 18) * toInt256('1000000000000000000')) AS usd,
        toInt256(sum(e.unpriced_tokens)) AS tokens,
        toInt256(sum(e.unpriced_calls)) AS calls,
        toInt256(sumIf(e.quantity, e.unit = 'token') - sum(e.unpriced_tokens)) AS priced_tokens,
        toInt256(sumIf(e.quantity, e.unit != 'token' AND e.amount_usd != 0)) AS priced_uses,
        reinterpret(toDecimal256(sumIf(e.quantity, e.category != 'tokens' OR e.unit = 'token'), 9), 'Int256') AS used,
        any(toInt256(toDecimal256(m.explained, 18) * toInt256('1000000000000000000'))) AS whole,
        any(toInt256(toDecimal256(m.explained_usd, 18) * toInt256('1000000000000000000'))) AS whole_usd
    FROM (SELECT * FROM bill_matches WHERE tenant = {tenant:String} AND run = {run:UInt64} AND resource != '' AND isNotNull(usd_per_unit)) AS m
    INNER JOIN (SELECT * FROM estimates WHERE tenant = {tenant:String}) AS e ON m.category = e.category
    WHERE (m.resource = e.resource OR (m.resource = '*' AND m.ledger_provider = e.provider))
        AND (m.ledger_account = '' OR m.ledger_account = e.account)
        AND e.window < greatest(m.charge_period_end, m.charge_period_start + 1) AND e.window + 3600 > m.charge_period_start
    GROUP BY match_id, window
),
hours AS (
    SELECT
        match_id, window, whole, whole_usd,
        sum(usd) OVER charge AS all_usd,
        sum(tokens) OVER charge AS all_tokens,
        sum(priced_tokens) OVER charge AS all_priced_tokens,
        sum(priced_uses) OVER charge AS all_priced_uses,
        sum(used) OVER charge AS all_used,
        arrayJoin([
            ('estimate', usd),
            multiIf(
                all_usd = 0 AND all_used > all_tokens * 1000000000, ('use', used),
                all_usd = 0 AND all_tokens > 0, ('tokens', tokens),
                all_usd = 0, ('calls', calls),
                all_tokens > 0 AND all_priced_tokens > 0, ('tokens', intDiv(tokens * all_usd, all_priced_tokens)),
                all_tokens > 0 AND all_priced_uses > 0, ('calls', intDiv(calls * all_usd, all_priced_uses)),
                ('calls', toInt256(0))
            )
        ]) AS weighed,
        weighed.1 AS weighed_by,
        weighed.2 AS weight
    FROM told
    WINDOW charge AS (PARTITION BY match_id)
),
upto AS (
    SELECT
        match_id, window, weighed_by, weight, whole, whole_usd,
        sum(weight) OVER (PARTITION BY match_id) AS weights,
        sum(weight) OVER (PARTITION BY match_id ORDER BY window, weighed_by ROWS UNBOUNDED PRECEDING) AS upto
    FROM hours
    WHERE weight != 0
),
split AS (
    SELECT
        match_id, window, weighed_by,
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
    sum(s.amount_usd) AS amount_usd,
    charge_category, charge_class, weighed_by
FROM (
    SELECT
        s.window AS window, m.billing_period_start AS billing_period_start, m.provider AS provider, m.service AS service, m.account AS account, m.currency AS currency, m.category AS category,
        m.resource AS resource, m.ledger_provider AS ledger_provider, m.ledger_account AS ledger_account, '' AS item, s.amount AS amount, s.amount_usd AS amount_usd,
        m.charge_category AS charge_category, m.charge_class AS charge_class, s.weighed_by AS weighed_by
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
        m.amount_usd - m.explained_usd AS amount_usd,
        charge_category, charge_class, '' AS weighed_by
    FROM bill_matches AS m
    WHERE tenant = {tenant:String} AND run = {run:UInt64} AND isNotNull(usd_per_unit) AND (m.amount != m.explained OR m.amount_usd != m.explained_usd)
) AS s
GROUP BY
    window, billing_period_start, provider, service, account, currency, category, resource, ledger_provider, ledger_account, item, charge_category,
    charge_class, weighed_by
