-- How busy was each device in each hour?
SELECT
    window AS time,
    device,
    toString(kind) AS kind,
    if(sum(accelerator_usage.capacity_seconds) > 0, sum(accelerator_usage.busy_seconds) / sum(accelerator_usage.capacity_seconds), NULL) AS busy_ratio
FROM accelerator_usage
WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
GROUP BY time, device, kind
ORDER BY time, kind, device
