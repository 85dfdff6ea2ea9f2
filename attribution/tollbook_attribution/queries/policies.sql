-- Which policies were set, by tenant and subject, the one that begins last first?
SELECT tenant, toString(subject) AS subject, method, valid_from, source, set_at
FROM policies
WHERE {tenant:String} IN ('', tenant)
ORDER BY tenant, subject, valid_from DESC, set_at DESC
