-- How busy was each device in the period, what energy did it take, and what did its idle time cost, the dearest idle first?
SELECT
    u.device AS device,
    toString(u.kind) AS kind,
    any(u.host) AS host,
    any(u.model) AS model,
    u.source AS source,
    sum(u.samples) AS samples,
    if(sum(u.capacity_seconds) > 0, sum(u.busy_seconds) / sum(u.capacity_seconds), NULL) AS busy_ratio,
    sumOrNull(u.busy_seconds) AS busy_seconds,
    sumOrNull(u.capacity_seconds) AS capacity_seconds,
    sumOrNull(u.cost_usd) AS cost_usd,
    sumOrNull(u.idle_usd) AS idle_usd,
    sumOrNull(u.joules) AS joules,
    sumOrNull(u.request_joules) AS request_joules,
    sumOrNull(u.energy_usd) AS energy_usd,
    if(any(e.device) = '', NULL, any(e.requests)) AS requests,
    any(s.slices) AS slices
FROM accelerator_usage AS u
LEFT ANY JOIN (
    SELECT device, uniqExactIf((tenant, trace_id), state = 'active') AS requests
    FROM accelerator_energy
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    GROUP BY device
) AS e ON u.device = e.device
LEFT ANY JOIN (
    SELECT device, arraySort(groupUniqArrayIf(toString(slice), slice != '')) AS slices
    FROM accelerator_states
    WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    GROUP BY device
) AS s ON u.device = s.device
WHERE u.window >= {since:DateTime('UTC')} AND u.window < {until:DateTime('UTC')}
GROUP BY device, kind, source
ORDER BY idle_usd DESC NULLS LAST, kind, device, source
