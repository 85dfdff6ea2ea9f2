-- What is each charge of? What people said first, then the resource, the model, and at last the provider as a whole.
-- Names are compared as they are, but for case and for what stands before the last `/` or `:`. Nothing is matched by nearness: a meter such as
-- `USE1-Claude4.6Opus-output-tokens` or `gpt-4o 1120 Outp glbl Tokens` is of the model that has the same words once those of meters are left out.
INSERT INTO bill_targets
WITH
    [
        'input', 'output', 'inp', 'inpt', 'outp', 'outpt', 'opt', 'in', 'out', 'cached', 'cache', 'cchd', 'cd', 'read', 'write', 'reads', 'writes',
        'creation', 'hit', 'hits', 'reasoning', 'thinking', 'non', 'prompt', 'completion', 'batch', 'flex', 'priority', 'pp', 'standard', 'std',
        'on', 'demand', 'ondemand', 'usage', 'api', 'per', 'token', 'tokens', 'count', 'unit', 'units', 'request', 'requests', 'text', 'image',
        'audio', 'video', 'short', 'long', 'context', 'shortco', 'longco', 'ctx', 'generate', 'content', 'embed', 'prediction', 'predictions', 'for', 'of',
        'the', 'ga', 'global', 'glbl', 'gl', 'regional', 'regnl', 'rgnl', 'region', 'data', 'zone', 'dz', 'dzone', 'datazone', 'latency',
        'optimized', 'mantle', 'amazon', 'bedrock', 'edition', 'azure', 'openai', 'vertex', 'ai', 'service', 'mp', 'cross', 'inference', 'uncached', 'no'
    ] AS meter_words,
    named_by -> if(length(named_by) > 1, concat('words ', arrayStringConcat(arraySort(named_by))), '') AS by_words,
things AS (
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
-- Models that a cloud sold and that have their maker's list price, such as OpenAI's on Azure: those that nobody else was asked for meanwhile.
resold AS (
    SELECT
        resource, any(c.price_provider) AS provider, CAST([], 'Array(String)') AS accounts,
        any(multiIf(match(lower(c.provider), 'azure'), 'azure', match(lower(c.provider), 'bedrock|^aws'), 'aws', match(lower(c.provider), '^gcp|vertex'), 'google', '')) AS cloud
    FROM (
        SELECT DISTINCT provider, price_provider, concat(price_provider, '/', price_model) AS resource
        FROM calls
        WHERE tenant = {tenant:String} AND price_provider != ''
            AND window >= (SELECT toStartOfHour(min(charge_period_start)) FROM bill_charges WHERE run = {run:UInt64})
            AND window <= (SELECT max(charge_period_end) FROM bill_charges WHERE run = {run:UInt64})
    ) AS c
    GROUP BY resource
    HAVING count() = 1 AND cloud NOT IN ('', provider)
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
        arrayJoin(arrayDistinct(arrayFilter(x -> x != '', arrayConcat(arrayMap(
            x -> replaceRegexpAll(
                replaceRegexpAll(
                    lower(x),
                    '\\b(input|output|cached|cache|read|write|writes|reads|reasoning|prompt|completion|batch|usage|api|per|1k|1m|1,000|tokens?|requests?)\\b', ' '
                ),
                '(-\\d{4}-?\\d{2}-?\\d{2})|[^a-z0-9.]+', ''
            ),
            [extract(resource_id, '[^/:]*$'), resource_name, sku_id, sku_meter, description]
        ), arrayMap(
            told -> by_words(arrayFilter(
                w -> NOT has(meter_words, w) AND NOT match(w, '^(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])$'), arrayMap(w -> lower(w), told)
            )),
            arrayConcat(arrayMap(x -> extractAll(lower(x), '[a-z]+|[0-9]+'), texts), arrayMap(x -> extractAll(x, '[A-Z]?[a-z]+|[A-Z]+|[0-9]+'), texts))
        ))))) AS name
    FROM (
        SELECT
            *,
            arrayMap(
                x -> replaceRegexpAll(
                    replaceRegexpOne(x, '^[A-Z]{2,4}[0-9]?-(MP:)?([A-Z]{2,4}[0-9]?_)?', ''),
                    '-?\\d{4}-?\\d{2}-?\\d{2}|1,000(,000)?|\\b1[kKmM]\\b|\\b(5m|1h)\\b|(5m|1h)Input', ' '
                ),
                [extract(resource_id, '[^/:]*$'), resource_name, sku_id, sku_meter, description, service]
            ) AS texts
        FROM things
    )
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
        SELECT *, arrayJoin(arrayFilter(x -> x != '', [
            replaceRegexpAll(lower(substring(resource, position(resource, '/') + 1)), '(-\\d{4}-?\\d{2}-?\\d{2})|[^a-z0-9.]+', ''),
            by_words(extractAll(
                replaceRegexpAll(
                    replaceRegexpOne(lower(substring(resource, position(resource, '/') + 1)), '^([a-z-]+\\.)+(.*?)(-v1(:[0-9a-z]+)*)?$', '\\2'),
                    '-\\d{4}-?\\d{2}-?\\d{2}', ''
                ), '[a-z]+|[0-9]+'
            ))
        ])) AS name
        FROM (
            SELECT category, resource, provider, accounts, provider AS seller FROM known WHERE category = 'tokens'
            UNION ALL
            SELECT 'tokens' AS category, resource, provider, accounts, cloud AS seller FROM resold
        )
    ) AS k ON b.name = k.name AND b.provider = k.seller
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
