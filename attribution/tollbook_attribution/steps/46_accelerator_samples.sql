-- How busy do samples say each accelerator was? The mean of them; one told twice counts once, one marked as without a value not at all.
-- Where the tenant has: metrics
INSERT INTO work_device_samples
SELECT
    {settlement:UInt64} AS settlement,
    device,
    max(machine) AS host,
    max(model_name) AS model,
    max(name) AS source,
    count() AS samples,
    avg(value) AS busy_ratio,
    toUnixTimestamp64Nano(min(time)) AS since_ns,
    toUnixTimestamp64Nano(max(time)) AS until_ns
FROM (
    SELECT DISTINCT
        name, time, value, attributes,
        if(host_id != '', host_id, host_name) AS machine,
        if(attributes['hw.id'] != '', attributes['hw.id'], machine) AS id,
        if(match(id, '^(/dev/)?[a-zA-Z]{0,8}[0-9]{1,3}$') AND machine != '' AND id != machine, concat(machine, '/', id), id) AS device,
        attributes['hw.model'] AS model_name
    FROM metrics
    WHERE tenant = {tenant:String} AND name = 'hw.gpu.utilization' AND time >= {window:DateTime('UTC')} AND time < {until:DateTime64(9, 'UTC')}
        AND value BETWEEN 0 AND 1 AND attributes['hw.gpu.task'] IN ('', 'general')
        AND bitAnd(flags, 1) = 0
)
GROUP BY device
