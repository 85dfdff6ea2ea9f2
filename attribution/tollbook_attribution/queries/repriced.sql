-- What does each owner's use of each model come to in a period, at which prices, and what has no price?
SELECT
    toString(tenant) AS tenant, toString(team) AS team, toString(provider) AS provider, toString(model) AS model,
    category, toString(item) AS item,
    sum(quantity) AS quantity, sum(amount_usd) AS amount_usd, sum(unpriced_calls) AS unpriced_calls,
    arraySort(arraySlice(groupUniqArrayIf(price, price != ''), 1, 3)) AS prices,
    arraySort(arraySlice(groupUniqArrayIf(reason, reason != ''), 1, 3)) AS reasons
FROM (
    SELECT
        tenant, team, provider, model, toString(category) AS category, item, quantity, amount_usd, 0 AS unpriced_calls,
        concat(price_id, if(price_version = '', '', concat(' of ', price_version)), if(position(method, 'less') = 0, '', substring(method, position(method, ', less')))) AS price,
        '' AS reason
    FROM ledger
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    UNION ALL
    SELECT
        tenant, team, provider, if(response_model != '', response_model, model) AS model, 'tokens' AS category, '' AS item,
        0 AS quantity, 0 AS amount_usd, 1 AS unpriced_calls, '' AS price, reason
    FROM calls
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')} AND role = 'counted' AND price_status = 'unpriced'
)
GROUP BY tenant, team, provider, model, category, item
