-- How much of each charge do the ledger's estimates explain? All of it, or as much of its quantity as they know where both say one in like units.
INSERT INTO bill_matches
WITH charges AS (
    SELECT
        c.provider AS provider, c.service AS service, c.account AS account, c.billing_period_start AS billing_period_start,
        c.charge_period_start AS charge_period_start, c.charge_period_end AS charge_period_end, c.currency AS currency,
        t.rule AS rule, t.category AS category, t.resource AS resource, t.ledger_provider AS ledger_provider, t.ledger_account AS ledger_account,
        c.charge_category AS charge_category, c.charge_class AS charge_class,
        if(t.category != '', '', c.service_category) AS bought,
        max(c.billing_period_end) AS billing_period_end,
        any(if(c.resource_id != '', c.resource_id, c.resource_name)) AS billed_resource,
        multiIf(
            charge_category != 'Usage', '',
            category IN ('compute', 'accelerator') AND match(c.unit, '^(hours?|hrs?|h|vm-hours|instance.hours?|1 hours?)$'), 's',
            category = 'tokens' AND match(c.unit, 'token'), 'token',
            category = 'transfer' AND match(c.unit, '^(1 )?(gb|gigabytes?|gib)s?$'), 'gb',
            category = 'storage' AND match(c.unit, '^(1 )?g(i)?b.?mo(nth)?s?$'), 'gb_month',
            match(c.unit, '^requests?$'), 'request',
            match(c.unit, '^quer(y|ies)$'), 'query',
            ''
        ) AS like_unit,
        sum(c.quantity * multiIf(
            like_unit = 's', toInt256(3600),
            like_unit = 'token' AND match(c.unit, '\\b(1m|1,000,000|million)'), toInt256(1000000),
            like_unit = 'token' AND match(c.unit, '\\b(1k|1,000|thousand)'), toInt256(1000),
            toInt256(1)
        )) AS billed_quantity,
        sum(c.billed) AS billed,
        sum(c.lines) AS lines
    FROM (SELECT * FROM bill_charges WHERE run = {run:UInt64}) AS c
    LEFT ANY JOIN (SELECT * FROM bill_targets WHERE run = {run:UInt64}) AS t ON c.thing = t.thing
    GROUP BY
        provider, service, account, billing_period_start, charge_period_start, charge_period_end, currency, rule, category, resource, ledger_provider,
        ledger_account, charge_category, charge_class, bought, like_unit
),
numbered AS (
    SELECT *, cityHash64(
        provider, service, account, billing_period_start, charge_period_start, charge_period_end, currency, category, resource, ledger_provider,
        ledger_account, charge_category, charge_class, bought, like_unit
    ) AS match_id
    FROM charges
),
known AS (
    SELECT
        n.match_id AS match_id,
        sumIf(e.quantity, e.unit = n.like_unit) AS quantity,
        sum(e.amount_usd) AS amount_usd,
        sum(e.unpriced_calls) AS unpriced_calls,
        sumIf(e.quantity, e.category != 'tokens' OR e.unit = 'token') AS used
    FROM numbered AS n
    INNER JOIN (SELECT * FROM estimates WHERE tenant = {tenant:String}) AS e ON n.category = e.category
    WHERE (n.resource = e.resource OR (n.resource = '*' AND n.ledger_provider = e.provider))
        AND (n.ledger_account = '' OR n.ledger_account = e.account)
        AND e.window < greatest(n.charge_period_end, n.charge_period_start + 1) AND e.window + 3600 > n.charge_period_start
    GROUP BY match_id
)
SELECT
    {tenant:String} AS tenant,
    {run:UInt64} AS run,
    n.match_id AS match_id,
    n.billing_period_start AS billing_period_start,
    n.charge_period_start AS charge_period_start,
    n.charge_period_end AS charge_period_end,
    n.provider AS provider,
    n.service AS service,
    n.account AS account,
    multiIf(
        (n.resource != '' AND (k.amount_usd != 0 OR k.unpriced_calls != 0 OR k.used != 0)) AS matched, n.rule,
        n.rule = 'mapping' AND n.category = '', 'mapped to nothing',
        n.charge_category != 'Usage', lower(n.charge_category),
        n.rule != '', 'no telemetry in its time',
        'no telemetry'
    ) AS rule,
    multiIf(
        n.category != '', n.category,
        match(lower(n.bought), 'compute'), 'compute',
        match(lower(n.bought), 'storage'), 'storage',
        match(lower(n.bought), 'network|transfer'), 'transfer',
        match(lower(n.bought), '^ai|machine learning'), 'tokens',
        ''
    ) AS category,
    if(matched, n.resource, '') AS resource,
    n.ledger_provider AS ledger_provider,
    n.ledger_account AS ledger_account,
    n.billed_resource AS billed_resource,
    n.like_unit AS unit,
    n.billed_quantity AS billed_quantity,
    toDecimal128(k.quantity, 9) AS known_quantity,
    -- Charges of one thing at one time share its estimate: it is set against the one whose quantity can be compared, else the largest.
    if(row_number() OVER (
        PARTITION BY n.category, n.resource, n.ledger_provider, n.ledger_account, n.charge_period_start, n.charge_period_end
        ORDER BY n.like_unit != '' DESC, n.billed DESC, n.match_id
    ) = 1, toDecimal128(k.amount_usd, 18), toDecimal128(0, 18)) AS estimate_usd,
    n.lines AS lines,
    n.billed AS billed,
    toDecimal128(n.billed, 18) AS amount,
    n.currency AS currency,
    if(n.currency = 'USD', toDecimal128(1, 18), if(x.usd_per_unit = 0, NULL, x.usd_per_unit)) AS usd_per_unit,
    toDecimal128(toDecimal256(n.billed, 18) * toDecimal256(ifNull(usd_per_unit, toDecimal128(0, 18)), 18), 18) AS amount_usd,
    if(
        (matched AND n.like_unit != '' AND k.quantity > 0 AND toDecimal256(k.quantity, 9) < toDecimal256(n.billed_quantity, 9)) AS partly,
        toDecimal128(toDecimal256(amount, 18) * toDecimal256(k.quantity, 9) / toDecimal256(n.billed_quantity, 9), 18), if(matched, amount, toDecimal128(0, 18))
    ) AS explained,
    if(partly, toDecimal128(toDecimal256(amount_usd, 18) * toDecimal256(k.quantity, 9) / toDecimal256(n.billed_quantity, 9), 18), if(matched, amount_usd, toDecimal128(0, 18))) AS explained_usd,
    n.charge_category AS charge_category,
    n.charge_class AS charge_class
FROM numbered AS n
LEFT ANY JOIN known AS k ON n.match_id = k.match_id
LEFT ANY JOIN (SELECT currency, day, usd_per_unit FROM daily_exchange_rates) AS x ON n.currency = x.currency AND toDate(n.charge_period_start) = x.day
