-- As cost_by, for keys that only the lines of the ledger have: what did each group of the period cost, dearest first?
-- Calls and requests are counted where the keys and filters divide them. The dearest groups have rows of their own; all others are told as one.
WITH
    money AS (
        SELECT
            {key1:Identifier} AS key1, {key2:Identifier} AS key2, {key3:Identifier} AS key3, {key4:Identifier} AS key4, {key5:Identifier} AS key5,
            toNullable(sum(paid_usd)) AS amount_usd,
            count() AS lines,
            sumIf(paid, unit = 'token') AS tokens,
            sumIf(paid_usd, basis = 'estimated') AS estimated_usd,
            sumIf(paid_usd, waste != '') AS wasted_usd,
            sumIf(paid_usd, simulated = 'yes') AS simulated_usd
        FROM (
            SELECT
                tenant, team, project, feature, customer, environment, workflow, site, model, item, resource, account, region, currency, waste, unit,
                provider,
                service_name AS service,
                service_version AS version,
                toString(category) AS category,
                toString(allocation) AS allocation,
                toString(basis) AS basis,
                if(l.simulated, 'yes', 'no') AS simulated,
                formatDateTime(window, '%Y-%m-%dT%H:00Z') AS hour,
                formatDateTime(window, '%Y-%m-%d') AS day,
                formatDateTime(window, '%G-W%V') AS week,
                formatDateTime(window, '%Y-%m') AS month,
                '' AS nothing,
                l.amount_usd AS paid_usd,
                quantity AS paid
            FROM ledger AS l
            WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        )
        WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
            AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
            AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
        GROUP BY key1, key2, key3, key4, key5
    ),

    called AS (
        SELECT
            {key1:Identifier} AS key1, {key2:Identifier} AS key2, {key3:Identifier} AS key3, {key4:Identifier} AS key4, {key5:Identifier} AS key5,
            count() AS calls,
            countIf(price_status != 'priced') AS unpriced_calls,
            sumIf(used, price_status = 'priced') AS priced_tokens,
            sumIf(used, price_status != 'priced') AS unpriced_tokens
        FROM (
            SELECT
                tenant, team, project, feature, customer, environment, workflow, price_status,
                toInt128(ifNull(input_tokens, 0)) + ifNull(cache_read_tokens, 0) + ifNull(cache_write_tokens, 0) + ifNull(output_tokens, 0)
                + ifNull(reasoning_tokens, 0) AS used,
                if(price_provider != '', price_provider, c.provider) AS provider,
                if(response_model != '', response_model, c.model) AS model,
                service_name AS service,
                'tokens' AS category,
                'request' AS allocation,
                if(c.simulated, 'yes', 'no') AS simulated,
                formatDateTime(window, '%Y-%m-%dT%H:00Z') AS hour,
                formatDateTime(window, '%Y-%m-%d') AS day,
                formatDateTime(window, '%G-W%V') AS week,
                formatDateTime(window, '%Y-%m') AS month,
                '' AS version, '' AS site, '' AS item, '' AS resource, '' AS account, '' AS region, '' AS currency, '' AS waste, '' AS basis,
                '' AS nothing
            FROM calls AS c
            WHERE {with_calls:Bool} AND window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
                AND role = 'counted' AND price_status != 'local'
        )
        WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
            AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
            AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
        GROUP BY key1, key2, key3, key4, key5
    ),

    asked AS (
        SELECT
            {key1:Identifier} AS key1, {key2:Identifier} AS key2, {key3:Identifier} AS key3, {key4:Identifier} AS key4, {key5:Identifier} AS key5,
            countIf(not_continued) AS requests
        FROM (
            SELECT
                tenant, team, project, feature, customer, environment, workflow, site,
                NOT continued AS not_continued,
                service_name AS service,
                formatDateTime(window, '%Y-%m-%dT%H:00Z') AS hour,
                formatDateTime(window, '%Y-%m-%d') AS day,
                formatDateTime(window, '%G-W%V') AS week,
                formatDateTime(window, '%Y-%m') AS month,
                '' AS version, '' AS item, '' AS resource, '' AS account, '' AS region, '' AS currency, '' AS waste, '' AS basis,
                '' AS model, '' AS provider, '' AS category, '' AS allocation, '' AS simulated,
                '' AS nothing
            FROM requests
            WHERE {with_requests:Bool} AND window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
        )
        WHERE has({values1:Array(String)}, {filter1:Identifier}) AND has({values2:Array(String)}, {filter2:Identifier})
            AND has({values3:Array(String)}, {filter3:Identifier}) AND has({values4:Array(String)}, {filter4:Identifier})
            AND has({values5:Array(String)}, {filter5:Identifier}) AND has({values6:Array(String)}, {filter6:Identifier})
        GROUP BY key1, key2, key3, key4, key5
    ),

    grouped AS (
        SELECT
            key1, key2, key3, key4, key5,
            sumOrNull(g.amount_usd) AS amount_usd,
            sum(g.lines) AS lines, sum(g.tokens) AS tokens, sum(g.calls) AS calls, sum(g.unpriced_calls) AS unpriced_calls,
            sum(g.priced_tokens) AS priced_tokens, sum(g.unpriced_tokens) AS unpriced_tokens,
            sum(g.requests) AS requests, sum(g.estimated_usd) AS estimated_usd, sum(g.wasted_usd) AS wasted_usd,
            sum(g.simulated_usd) AS simulated_usd
        FROM (
            SELECT
                toString(key1) AS key1, toString(key2) AS key2, toString(key3) AS key3, toString(key4) AS key4, toString(key5) AS key5,
                amount_usd, lines, tokens, 0 AS calls, 0 AS unpriced_calls, 0 AS priced_tokens, 0 AS unpriced_tokens, 0 AS requests,
                estimated_usd, wasted_usd, simulated_usd
            FROM money
            UNION ALL
            SELECT
                toString(key1) AS key1, toString(key2) AS key2, toString(key3) AS key3, toString(key4) AS key4, toString(key5) AS key5,
                NULL AS amount_usd, 0 AS lines, toDecimal128(0, 9) AS tokens, calls, unpriced_calls, priced_tokens, unpriced_tokens, 0 AS requests,
                toDecimal128(0, 18) AS estimated_usd, toDecimal128(0, 18) AS wasted_usd,
                toDecimal128(0, 18) AS simulated_usd
            FROM called
            UNION ALL
            SELECT
                toString(key1) AS key1, toString(key2) AS key2, toString(key3) AS key3, toString(key4) AS key4, toString(key5) AS key5,
                NULL AS amount_usd, 0 AS lines, toDecimal128(0, 9) AS tokens, 0 AS calls, 0 AS unpriced_calls, 0 AS priced_tokens, 0 AS unpriced_tokens, requests,
                toDecimal128(0, 18) AS estimated_usd, toDecimal128(0, 18) AS wasted_usd,
                toDecimal128(0, 18) AS simulated_usd
            FROM asked
        ) AS g
        GROUP BY key1, key2, key3, key4, key5
    ),

    placed AS (
        SELECT
            *,
            row_number() OVER (ORDER BY amount_usd DESC NULLS LAST, calls DESC, requests DESC, key1, key2, key3, key4, key5)
                < {limit:UInt32} AS named,
            concat('and ', toString(toInt64(count() OVER ()) - {limit:UInt32} + 1), ' more') AS others
        FROM grouped
    )
SELECT
    if(p.named, p.key1, p.others) AS key1,
    if(p.named, p.key2, '') AS key2,
    if(p.named, p.key3, '') AS key3,
    if(p.named, p.key4, '') AS key4,
    if(p.named, p.key5, '') AS key5,
    sumOrNull(p.amount_usd) AS amount_usd,
    sum(p.lines) AS lines,
    sum(p.tokens) AS tokens,
    sum(p.calls) AS calls,
    sum(p.unpriced_calls) AS unpriced_calls,
    sum(p.priced_tokens) AS priced_tokens,
    sum(p.unpriced_tokens) AS unpriced_tokens,
    sum(p.requests) AS requests,
    sum(p.estimated_usd) AS estimated_usd,
    sum(p.wasted_usd) AS wasted_usd,
    sum(p.simulated_usd) AS simulated_usd
FROM placed AS p
GROUP BY key1, key2, key3, key4, key5, p.named
ORDER BY p.named DESC, amount_usd DESC NULLS LAST, calls DESC, requests DESC, key1, key2, key3, key4, key5
