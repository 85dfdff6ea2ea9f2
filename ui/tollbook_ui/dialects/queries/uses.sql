-- What do the counted calls of a period come to, by the dialect that tells of them and by model?
SELECT
    toString(dialect) AS dialect,
    toString(provider) AS provider,
    toString(if(response_model != '', response_model, model)) AS model,
    count() AS calls,
    toInt64(sum(arraySum((item, n) -> if(item IN ('web_search', 'image', 'audio_second', 'video_second', 'character', 'page', 'query'), 0, n),
        mapKeys(buckets), mapValues(buckets)))) AS tokens,
    sum(ifNull(cost_usd, 0)) AS cost_usd,
    countIf(price_status = 'unpriced') AS unpriced_calls
FROM calls
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')} AND role = 'counted'
GROUP BY dialect, provider, model
ORDER BY cost_usd DESC, dialect, provider, model
