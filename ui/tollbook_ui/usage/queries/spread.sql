-- Which calls do buckets stand for? As many as they say, of average size, over the time of the bucket; what they used adds up to what it tells, to the digit.
-- A bucket that does not say how many is one call, which no price of longer inputs is chosen for.
INSERT INTO usage_rows
SELECT
    {into_id:UInt64} AS import_id,
    row * 10000000 + part AS row,
    mapConcat(
        mapFilter((target, said) -> target NOT IN ('#before', '#parts', '#counts', '#less'), fields),
        CAST(mapApply(
            (target, n) -> (target, if(
                target = 'cost',
                concat(toString(intDiv(n, toInt128(1000000000000000000))), '.', leftPad(toString(n % toInt128(1000000000000000000)), 18, '0')), toString(n)
            )),
            mapApply((target, n) -> (target, intDiv(n * (part + 1), parts) - intDiv(n * part, parts)), counts)
        ), 'Map(LowCardinality(String), String)'),
        CAST(map('#counts', if(part = 0, fields['#counts'], ''), '#call', concat(fields['#bucket'], ' ', toString(before + part))), 'Map(LowCardinality(String), String)')
    ) AS fields,
    first_ns + if(
        fields['#told_by'] IN ('', 'average'), toInt64(intDiv(toInt128(last_ns - first_ns) * (2 * (before + part) + 1), 2 * (before + parts))), 0
    ) AS start_ns,
    CAST(NULL, 'Nullable(Int64)') AS end_ns
FROM (
    SELECT
        row, fields,
        assumeNotNull(start_ns) AS first_ns,
        assumeNotNull(end_ns) AS last_ns,
        toInt128(fields['#before']) AS before,
        toInt128(fields['#parts']) AS parts,
        mapFilter(
            (target, n) -> target NOT IN ('calls', 'parts') AND n != 0,
            mapApply((target, n) -> (target, toInt128OrZero(n)), extractKeyValuePairs(fields['#counts'], '=', ','))
        ) AS counts,
        arrayJoin(range(toUInt64(parts))) AS part
    FROM usage_rows
    WHERE import_id = {import_id:UInt64}
)
