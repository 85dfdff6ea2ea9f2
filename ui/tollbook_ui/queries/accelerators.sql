-- How busy was each device in the period, and what did its idle time cost, the dearest idle first?
SELECT
    device,
    toString(kind) AS kind,
    any(accelerator_usage.host) AS host,
    any(accelerator_usage.model) AS model,
    source,
    sum(accelerator_usage.samples) AS samples,
    if(sum(accelerator_usage.capacity_seconds) > 0, sum(accelerator_usage.busy_seconds) / sum(accelerator_usage.capacity_seconds), NULL) AS busy_ratio,
    sumOrNull(accelerator_usage.busy_seconds) AS busy_seconds,
    sumOrNull(accelerator_usage.capacity_seconds) AS capacity_seconds,
    sumOrNull(accelerator_usage.cost_usd) AS cost_usd,
    sumOrNull(accelerator_usage.idle_usd) AS idle_usd
FROM accelerator_usage
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
GROUP BY device, kind, source
ORDER BY idle_usd DESC NULLS LAST, kind, device, source
