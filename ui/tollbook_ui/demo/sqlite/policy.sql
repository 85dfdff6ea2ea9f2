-- How long does this customer want its documents kept?
SELECT
    policy,
    keep_days
FROM retention_policies
WHERE customer = ?
