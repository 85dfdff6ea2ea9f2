-- What does each row of a file say of a call? A row is its cells in order, or one JSON object in one cell: a line, or an element of an array.
-- Times are ISO 8601, in the zone given where they name none, or numbers; a number's unit follows from its size unless it is given.
INSERT INTO usage_staged
WITH
    json -> if(startsWith(json, '"'), JSONExtractString(json), json) AS unquoted,
    (json, key) -> if(match(key, '^[0-9]{1,4}$') AND startsWith(json, '['), JSONExtractRaw(json, toInt64(key) + 1), JSONExtractRaw(json, key)) AS stepped,
    arrayMap(
        (place, path, zone) -> if(
            path = '',
            if(empty(cells[place]), '', concat(cells[place], zone)),
            unquoted(arrayFold((json, key) -> stepped(unquoted(json), key), splitByChar(char(31), path), cells[place]))
        ),
        {places:Array(UInt32)}, {paths:Array(String)}, {zones:Array(String)}
    ) AS texts,
    arrayMap(
        (target, text) -> if(
            lower(text) IN ('null', '\\n') OR (target IN {numeric:Array(String)} AND lower(text) IN ('nan', 'none', 'n/a', '-')),
            '', if(target IN {numeric:Array(String)}, replaceRegexpOne(text, '^([0-9]+)[.]00?$', '\\1'), text)
        ),
        {targets:Array(String)}, arrayMap(text -> trimBoth(text), texts)
    ) AS known,
    -- What a row says beside counts, where it stands for many calls: rows that differ in a key or a project are not one.
    multiIf(
        NOT {many:Bool}, '',
        {json:Bool}, hex(sipHash128(replaceRegexpAll(cells[1], ':\\s*-?[0-9][0-9.eE+-]*', ':'))),
        hex(sipHash128(arrayMap(cell -> if(match(cell, '^[$]?-?[0-9.,]*$'), '', cell), cells)))
    ) AS others,
    mapFromArrays(
        arrayConcat({targets:Array(String)}, {set:Array(String)}, ['#row', '']),
        arrayConcat(known, {values:Array(String)}, [others, if({json:Bool} AND NOT startsWith(trimLeft(cells[1]), '{') OR {json:Bool} AND NOT isValidJSON(cells[1]), 'not JSON', '')])
    ) AS found,
    arrayMap(
        text -> multiIf(
            -- Without these bounds, 25 o'clock is read as an hour of the next day.
            match(text, '^[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]([01][0-9]|2[0-3]):[0-5][0-9](:([0-5][0-9]|60)([.][0-9]{1,9})?)?)?( ?(Z|UTC|[+-][0-9]{2}(:?[0-9]{2})?))?$'),
            toUnixTimestamp64Nano(parseDateTime64BestEffortOrNull(replaceRegexpOne(text, '([T ][0-9:.]+) ?([+-][0-9]{2})$', '\\1\\2:00'), 9, {timezone:String})),
            match(text, '^[0-9]{1,19}([.][0-9]+)?$'),
            toInt64OrNull(toString(toDecimal256({epoch_ns:Int64}, 0) + toDecimal256(truncate(toDecimal256(text, 9) * multiIf(
                {unit_ns:Int64} > 0, {unit_ns:Int64},
                position(concat(text, '.'), '.') BETWEEN 10 AND 11, 1000000000,
                position(concat(text, '.'), '.') BETWEEN 13 AND 14, 1000000,
                position(concat(text, '.'), '.') BETWEEN 16 AND 17, 1000,
                position(concat(text, '.'), '.') = 20, 1,
                NULL
            )), 0))),
            NULL
        ),
        [found['timestamp'], found['end_time']]
    ) AS times
SELECT
    {import_id:UInt64} AS import_id,
    number AS row,
    mapFilter((target, text) -> text != '', found) AS fields,
    times[1] AS start_ns,
    times[2] AS end_ns
FROM (
    SELECT rowNumberInAllBlocks() + 1 AS number, array(* APPLY(cell -> ifNull(toString(cell), ''))) AS cells
    FROM /*SOURCE*/
)
-- A row with nothing but times is no call: exports have one for a day without any.
-- Where files were put one after another, their header stands among the rows.
WHERE (NOT {json:Bool} OR notEmpty(trimBoth(cells[1])))
    AND (empty({names:Array(String)}) OR {names:Array(String)} != texts)
    AND (found[''] != '' OR arrayExists((target, text) -> text != '' AND target NOT IN ('timestamp', 'end_time'), {targets:Array(String)}, known))
