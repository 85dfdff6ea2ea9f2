-- Which of these names does the price book know between two moments, or has somebody said what they stand for?
SELECT lower(concat(provider, '/', model)) AS name
FROM current_prices
WHERE category = 'tokens' AND tenant IN ('', {tenant:String}) AND has({names:Array(String)}, name)
    AND valid_from <= {last:DateTime('UTC')} AND (isNull(valid_until) OR valid_until > {first:DateTime('UTC')})
GROUP BY name
UNION DISTINCT
SELECT concat('*/', model) AS name
FROM current_model_aliases
WHERE tenant IN ('', {tenant:String}) AND has({models:Array(String)}, model)
