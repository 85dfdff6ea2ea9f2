-- How many rows does a staged file have, from when to when, how many of them tell of calls that are new, and in how many hours?
SELECT
    (SELECT count() FROM usage_rows WHERE import_id = {import_id:UInt64}) AS rows,
    count() AS new_calls,
    uniqExact(toStartOfHour(start_time)) AS hours,
    (SELECT fromUnixTimestamp64Nano(ifNull(min(start_ns), 0), 'UTC') FROM usage_rows WHERE import_id = {import_id:UInt64}) AS first_call,
    (SELECT fromUnixTimestamp64Nano(ifNull(max(start_ns), 0), 'UTC') FROM usage_rows WHERE import_id = {import_id:UInt64}) AS last_call
FROM spans
WHERE tenant = {tenant:String} AND scope_name = {scope:String} AND attributes['tollbook.usage.import'] = toString({import_id:UInt64})
    AND start_time >= first_call AND start_time <= (
        SELECT fromUnixTimestamp64Nano(ifNull(max(start_ns), 0), 'UTC') FROM usage_rows WHERE import_id IN ({import_id:UInt64}, {rows_id:UInt64})
    )
