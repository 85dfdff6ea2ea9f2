-- How long does this tenant want its documents kept?
SELECT
    policy,
    keep_days
FROM retention_policies
WHERE tenant = ?
