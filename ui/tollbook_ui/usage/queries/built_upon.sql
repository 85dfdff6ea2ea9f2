-- Which later imports counted on from what this one told of a bucket?
SELECT DISTINCT toUInt64(attributes['tollbook.usage.import']) AS import_id
FROM spans
WHERE tenant = {tenant:String} AND scope_name = {scope:String} AND attributes['tollbook.usage.counts'] != ''
    AND toUInt64OrZero(attributes['tollbook.usage.import']) > {import_id:UInt64}
    AND attributes['tollbook.usage.bucket'] IN (
        SELECT attributes['tollbook.usage.bucket'] FROM spans
        WHERE tenant = {tenant:String} AND scope_name = {scope:String} AND attributes['tollbook.usage.import'] = toString({import_id:UInt64})
            AND attributes['tollbook.usage.counts'] != ''
    )
ORDER BY import_id DESC
LIMIT 1
