-- Which API keys were ever made, newest first?
SELECT
    key_id,
    anyIf(name, event = 'created') AS name,
    anyIf(toString(tenant), event = 'created') AS tenant,
    anyIf(scopes, event = 'created') AS scopes,
    anyIf(secret_sha256, event = 'created') AS secret_sha256,
    minIf(at, event = 'created') AS created_at,
    anyIf(expires_at, event = 'created') AS expires_at,
    minOrNullIf(at, event = 'revoked') AS revoked_at
FROM api_keys
GROUP BY key_id
HAVING countIf(event = 'created') > 0
ORDER BY created_at DESC, key_id
