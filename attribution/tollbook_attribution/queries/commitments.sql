-- What was paid ahead, the row that was set last under each name, the period that begins last first?
SELECT
    tenant, commitment_id, kind, provider, covers, region, account, unit, capacity_per_hour, amount, currency, valid_from, valid_until, source, set_at
FROM (
    SELECT * FROM commitments
    WHERE {tenant:String} IN ('', tenant)
    ORDER BY set_at DESC
    LIMIT 1 BY tenant, commitment_id
)
ORDER BY tenant, valid_from DESC, commitment_id
