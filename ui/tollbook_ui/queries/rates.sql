-- What does an hour of each type of machine cost?
SELECT
    toString(rate_id) AS rate_id,
    provider,
    instance_type,
    region,
    purchase,
    vcpus,
    memory_gib,
    usd_per_hour,
    cpu_usd_per_hour,
    memory_usd_per_hour,
    accelerator_usd_per_hour,
    accelerators,
    split,
    valid_from,
    source
FROM instance_rates
ORDER BY provider, instance_type, region, purchase, valid_from DESC
