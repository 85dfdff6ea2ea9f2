-- In which account of its provider each copy lies: contracts of an account take off its storage too. Copies that are declared have none.
ALTER TABLE storage_events_settled ADD COLUMN IF NOT EXISTS account LowCardinality(String) COMMENT 'of the provider';

CREATE OR REPLACE VIEW storage_events AS
SELECT * FROM storage_events_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements);

CREATE OR REPLACE VIEW storage_intervals AS
SELECT
    tenant, asset_id, location, provider, storage_class, region, bytes,
    toInt64(toUnixTimestamp64Milli(held_from)) * 1000000 AS from_ns,
    if(isNull(held_until), 9223372036854775807, toInt64(toUnixTimestamp64Milli(assumeNotNull(held_until))) * 1000000) AS until_ns,
    'declared' AS told_by, service_name, workflow, team, project, feature, customer, environment, '' AS account
FROM (SELECT * FROM stored_assets ORDER BY recorded_at DESC LIMIT 1 BY tenant, asset_id, location, held_from)
WHERE bytes > 0
UNION ALL
SELECT
    tenant, asset_id, location, provider, storage_class, region, bytes,
    time_ns AS from_ns,
    least(if(next_ns = 0, 9223372036854775807, next_ns), ifNull(time_ns + retention_s * 1000000000, 9223372036854775807)) AS until_ns,
    'handoff' AS told_by, service_name, workflow, team, project, feature, customer, environment, account
FROM (
    SELECT
        *,
        toUnixTimestamp64Nano(time) AS time_ns,
        leadInFrame(time_ns) OVER (
            PARTITION BY tenant, asset_id, location ORDER BY time_ns, span_id ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
        ) AS next_ns
    FROM storage_events
)
WHERE bytes > 0 AND (tenant, asset_id, location) NOT IN (SELECT tenant, asset_id, location FROM stored_assets);

ALTER TABLE storage_settled ADD COLUMN IF NOT EXISTS account LowCardinality(String) COMMENT 'of the provider'
