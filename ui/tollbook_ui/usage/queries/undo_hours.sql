-- Which hours does an import that is taken back change? They have so many spans less; what is counted of them only ever grows,
-- so that they are settled again also where as many spans come in the place of these.
INSERT INTO fact_hours (window, tenant, signal, facts)
SELECT
    change.1 AS window,
    change.2 AS tenant,
    change.3 AS signal,
    change.4 AS facts
FROM (
    SELECT arrayJoin([
        (toStartOfHour(toDateTime(start_time, 'UTC'), 'UTC'), tenant, 'spans', CAST(-count(), 'UInt64')),
        (toStartOfHour(toDateTime(start_time, 'UTC'), 'UTC'), tenant, 'bills', toUInt64(count() + 1))
    ]) AS change
    FROM spans
    WHERE scope_name = {scope:String} AND attributes['tollbook.usage.import'] = toString({import_id:UInt64})
    GROUP BY toStartOfHour(toDateTime(start_time, 'UTC'), 'UTC'), tenant
)
ORDER BY tenant, window, signal
SETTINGS insert_deduplication_token = 'undo any_import'
