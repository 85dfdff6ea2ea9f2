-- What do rows that stand for many calls tell of each bucket of time and owner, beyond what is known of it? A bucket is known again by its times and words, not
-- by its counts: those grow until the provider has counted all. Rows that say nothing are left out.
INSERT INTO usage_rows
WITH
    target -> if(
        target = 'cost',
        toInt128(toDecimal256(ifNull(toDecimal256OrNull(replaceOne(fields['cost'], '$', ''), 18), toDecimal256(0, 18)) * 1000000000000000000, 0)),
        toInt128OrZero(fields[target])
    ) AS amount,
    told AS (
        SELECT
            row,
            start_ns,
            least(
                coalesce(end_ns, start_ns + if(length(fields['timestamp']) = 10 AND position(fields['timestamp'], '-') = 5, 86400000000000, 0)),
                greatest({now_ns:Int64}, start_ns)
            ) AS last_ns,
            mapFilter((target, text) -> target NOT IN ('timestamp', 'end_time', 'calls', 'cost_cents', 'duration_ms', 'duration_s') AND target NOT IN {counted:Array(String)}, fields) AS words,
            hex(SHA256(toString((start_ns, end_ns, arraySort(arrayZip(mapKeys(words), mapValues(words))))))) AS bucket,
            toInt64OrZero(fields['calls']) AS calls,
            CAST(mapFromArrays(
                arrayConcat(['calls'], {counted:Array(String)}), arrayConcat([toInt128(calls)], arrayMap(target -> amount(target), {counted:Array(String)}))
            ), 'Map(String, Int128)') AS amounts
        FROM usage_rows
        WHERE import_id = {import_id:UInt64} AND arrayExists(n -> n > 0, mapValues(amounts))
    ),
    known AS (
        SELECT
            attributes['tollbook.usage.bucket'] AS bucket,
            sumMap(CAST(mapApply((k, v) -> (k, toInt128OrZero(v)), extractKeyValuePairs(attributes['tollbook.usage.counts'], '=', ',')), 'Map(String, Int128)')) AS amounts
        FROM spans
        WHERE tenant = {tenant:String} AND scope_name = {scope:String} AND attributes['tollbook.usage.counts'] != ''
            AND start_time >= (SELECT fromUnixTimestamp64Nano(assumeNotNull(min(start_ns)), 'UTC') FROM told)
            AND start_time <= (SELECT fromUnixTimestamp64Nano(assumeNotNull(max(last_ns)), 'UTC') FROM told)
        GROUP BY bucket
    )
SELECT
    {into_id:UInt64} AS import_id,
    first_row AS row,
    mapConcat(said, map(
        '#bucket', bucket,
        '#before', toString(before['parts']),
        '#parts', toString(parts),
        '#told_by', multiIf(calls = 1, '', NOT unknown, 'average', match(said['context_window'], '^(200k|>)'), 'long_sum', 'sum'),
        '#counts', arrayStringConcat(arrayMap((target, n) -> concat(target, '=', toString(n)), mapKeys(rest), mapValues(rest)), ','),
        '#less', arrayStringConcat(arrayMap(
            target -> if(target = 'cost', 'cost', concat(toString(before[target]), ' ', replaceAll(target, '_', ' '), ' then and ', toString(amounts[target]), ' now')),
            arrayFilter(target -> before[target] > amounts[target], mapKeys(amounts))
        ), ', ')
    )) AS fields,
    first_ns AS start_ns,
    until_ns AS end_ns
FROM (
    SELECT
        *,
        mapApply((target, n) -> (target, n - before[target]), amounts) AS more,
        if(unknown, 1, toInt64(greatest(more['calls'], 1))) AS parts,
        mapConcat(more, map('parts', toInt128(parts))) AS rest
    FROM (
        SELECT
            bucket, min(row) AS first_row, any(words) AS said, any(start_ns) AS first_ns, any(last_ns) AS until_ns, sum(told.calls) AS calls,
            min(told.calls) = 0 AS unknown, sumMap(told.amounts) AS amounts
        FROM told
        GROUP BY bucket
    ) AS t
    LEFT ANY JOIN (SELECT bucket, amounts AS before FROM known) AS k ON t.bucket = k.bucket
    WHERE arrayExists(n -> n != 0, mapValues(more))
)
