-- Which processes, machines and accelerators did the request run on, most spans first?
-- A settled request is looked for in its own hours alone, because spans are sorted by time and not by trace.
WITH
    unhex({trace_id:String}) AS wanted,
    (SELECT ifNull(toDateTime64(minOrNull(window), 9, 'UTC'), toDateTime64('1900-01-01', 9, 'UTC')) FROM requests WHERE trace_id = wanted)
        AS first_hour,
    (
        SELECT if(
            ifNull(maxOrNull(window), toDateTime('2106-02-07 05:00:00', 'UTC')) = toDateTime('2106-02-07 05:00:00', 'UTC'),
            toDateTime64('2262-01-01', 9, 'UTC'),
            toDateTime64(maxOrNull(window), 9, 'UTC') + toIntervalHour(1)
        )
        FROM requests WHERE trace_id = wanted
    ) AS after_hours
SELECT
    service_name,
    service_instance_id,
    host_id,
    host_name,
    host_type,
    cloud_region,
    k8s_pod_name,
    accelerator_id,
    accelerator_model,
    site,
    tier,
    uniqExact(span_id) AS spans
FROM spans
WHERE trace_id = wanted AND start_time >= first_hour AND start_time < after_hours
GROUP BY ALL
ORDER BY spans DESC, service_name, service_instance_id, host_id, accelerator_id
