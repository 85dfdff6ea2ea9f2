-- What is each charge of? What people said first, then the resource, the model, and at last the provider as a whole.
-- Names are compared as they are, but for case and for what stands before the last `/` or `:`. Nothing is matched by nearness.
INSERT INTO bill_targets
WITH things AS (
    SELECT
        thing, any(c.provider) AS provider, any(c.service) AS service, any(c.service_category) AS service_category, any(c.account) AS account,
        any(c.charge_category) AS charge_category, any(c.resource_id) AS resource_id, any(c.resource_name) AS resource_name, any(c.sku_id) AS sku_id,
        any(c.sku_meter) AS sku_meter, any(c.description) AS description
    FROM bill_charges AS c
    WHERE run = {run:UInt64}
    GROUP BY thing
),
known AS (
    SELECT category, resource, anyIf(e.provider, e.provider != '') AS provider, groupUniqArray(e.account) AS accounts
    FROM estimates AS e
    WHERE tenant = {tenant:String}
        AND window >= (SELECT toStartOfHour(min(charge_period_start)) FROM bill_charges WHERE run = {run:UInt64})
        AND window <= (SELECT max(charge_period_end) FROM bill_charges WHERE run = {run:UInt64})
    GROUP BY category, resource
),
named AS (
    SELECT
        category, resource, provider, accounts,
        arrayJoin(arrayDistinct(arrayFilter(x -> x != '', [
            lower(resource), lower(substring(resource, position(resource, ':') + 1)), extract(lower(resource), '[^/:]*$')
        ]))) AS name
    FROM known
    WHERE category != 'tokens'
),
billed_names AS (
    SELECT
        thing, provider, account,
        arrayJoin(arrayDistinct(arrayFilter(
            x -> x != '', [lower(resource_id), extract(lower(resource_id), '[^/:]*$'), lower(resource_name)]
        ))) AS name
    FROM things
),
billed_models AS (
    SELECT
        thing, provider, account,
        arrayJoin(arrayDistinct(arrayFilter(x -> x != '', arrayMap(
            x -> replaceRegexpAll(
                replaceRegexpAll(
                    lower(x),
                    '\\b(input|output|cached|cache|read|write|writes|reads|reasoning|prompt|completion|batch|usage|api|per|1k|1m|1,000|tokens?|requests?)\\b', ' '
                ),
                '(-\\d{4}-?\\d{2}-?\\d{2})|[^a-z0-9.]+', ''
            ),
            [extract(resource_id, '[^/:]*$'), resource_name, sku_id, sku_meter, description]
        )))) AS name
    FROM things
    WHERE charge_category IN ('Usage', 'Credit', 'Adjustment')
)
SELECT
    {run:UInt64} AS run,
    thing,
    argMin(found.rule, found.place) AS rule,
    argMin(found.category, found.place) AS category,
    argMin(found.resource, found.place) AS resource,
    argMin(found.ledger_provider, found.place) AS ledger_provider,
    argMin(found.ledger_account, found.place) AS ledger_account
FROM (
    SELECT
        t.thing AS thing, 'mapping' AS rule, m.category AS category, if(m.category = '', '', if(m.ledger_resource = '', '*', m.ledger_resource)) AS resource,
        if(m.ledger_provider != '', m.ledger_provider, t.provider) AS ledger_provider, '' AS ledger_account,
        (0, -(length(m.resource) + length(m.sku) + length(m.service) + length(m.account)), m.mapping_id) AS place
    FROM things AS t
    CROSS JOIN (SELECT * FROM current_bill_mappings WHERE tenant = {tenant:String}) AS m
    WHERE (m.provider = '' OR m.provider = t.provider)
        AND (m.account = '' OR m.account = t.account)
        AND (m.service = '' OR t.service ILIKE m.service)
        AND (m.resource = '' OR t.resource_id ILIKE m.resource OR t.resource_name ILIKE m.resource)
        AND (m.sku = '' OR t.sku_id ILIKE m.sku OR t.sku_meter ILIKE m.sku OR t.description ILIKE m.sku)
    UNION ALL
    SELECT
        b.thing AS thing, 'resource' AS rule, n.category AS category, n.resource AS resource, n.provider AS ledger_provider,
        if(has(n.accounts, b.account), b.account, '') AS ledger_account, (1, -length(n.name), n.resource) AS place
    FROM billed_names AS b
    INNER JOIN named AS n ON b.name = n.name
    UNION ALL
    SELECT
        b.thing AS thing, 'model' AS rule, k.category AS category, k.resource AS resource, k.provider AS ledger_provider,
        if(has(k.accounts, b.account), b.account, '') AS ledger_account, (2, -length(b.name), k.resource) AS place
    FROM billed_models AS b
    INNER JOIN (
        SELECT *, replaceRegexpAll(lower(substring(resource, position(resource, '/') + 1)), '(-\\d{4}-?\\d{2}-?\\d{2})|[^a-z0-9.]+', '') AS name
        FROM known
        WHERE category = 'tokens'
    ) AS k ON b.name = k.name AND b.provider = k.provider
    UNION ALL
    SELECT
        t.thing AS thing, 'provider' AS rule, 'tokens' AS category, '*' AS resource, t.provider AS ledger_provider,
        if(has(p.accounts, t.account), t.account, '') AS ledger_account, (3, 0, '') AS place
    FROM things AS t
    INNER JOIN (
        SELECT provider, arrayDistinct(arrayFlatten(groupArray(k.accounts))) AS accounts FROM known AS k WHERE category = 'tokens' GROUP BY provider
    ) AS p ON t.provider = p.provider
    WHERE t.charge_category = 'Usage' AND t.resource_id = '' AND t.provider NOT IN ('aws', 'azure', 'google', 'oci')
        AND t.service_category IN ('', 'AI and Machine Learning')
) AS found
GROUP BY thing
HAVING resource != '' OR rule = 'mapping'
