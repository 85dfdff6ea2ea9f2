-- What does each row of a file say of a call? A row is its cells in order, or one JSON object in one cell: a line, or an element of an array.
-- Times are ISO 8601, in the zone given where they name none, or numbers; a number's unit follows from its size unless it is given. Files that write
-- them in another way are read once more, with `odd`: then it is known whether 05/11 is a day of May.
INSERT INTO usage_rows
WITH
    json -> if(startsWith(json, '"'), JSONExtractString(json), json) AS unquoted,
    (json, key) -> if(match(key, '^[0-9]{1,4}$') AND startsWith(json, '['), JSONExtractRaw(json, toInt64(key) + 1), JSONExtractRaw(json, key)) AS stepped,
    (cell, path) -> if(path = '', cell, unquoted(arrayFold((json, key) -> stepped(unquoted(json), key), splitByChar(char(31), path), cell))) AS said,
    text -> if(lower(text) IN ('null', '\\n'), '', text) AS told,
    arrayMap(
        (place, path, zone) -> if(path = '', if(empty(cells[place]), '', concat(cells[place], zone)), said(cells[place], path)),
        {places:Array(UInt32)}, {paths:Array(String)}, {zones:Array(String)}
    ) AS texts,
    arrayMap(
        (target, text) -> if(
            lower(text) IN ('null', '\\n') OR (target IN {numeric:Array(String)} AND lower(text) IN ('none', 'n/a', '-')),
            '', multiIf(target IN {numeric:Array(String)}, replaceRegexpOne(text, '^([0-9]+)[.]00?$', '\\1'), target = 'batch', lower(text), text)
        ),
        {targets:Array(String)}, arrayMap(
            text -> trimBoth(text),
            -- A target may be read from several columns: from the first one that says something.
            if({between:Bool}, arrayMap((first, many) -> arrayFirst(text -> told(text) != '', arraySlice(texts, first, many)), {firsts:Array(UInt32)}, {manys:Array(UInt32)}), texts)
        )
    ) AS known,
    -- What a row says beside counts, where it stands for many calls: rows that differ in a key or a project are not one.
    if(
        {many:Bool},
        hex(sipHash128(arraySort(arrayFilter(
            word -> word NOT IN ('', 'null') AND NOT match(word, '^[$]?-?[0-9.,]*([0-9][eE][+-]?[0-9]+)?$'),
            arrayMap(word -> lower(word), if(
                {json:Bool},
                arrayMap(
                    pair -> if(match(pair.2, '^[{[]'), replaceRegexpAll(pair.2, '[\\s]+|[:[,]\\s*-?[0-9][0-9.eE+-]*', ''), unquoted(pair.2)),
                    JSONExtractKeysAndValuesRaw(cells[1])
                ),
                cells
            ))
        )))),
        ''
    ) AS others,
    mapFromArrays(
        arrayConcat({targets:Array(String)}, {set:Array(String)}, ['#row', '']),
        arrayConcat(known, {values:Array(String)}, [
            others, if({json:Bool} AND (NOT startsWith(trimLeft(cells[1]), '{') OR NOT isValidJSON(cells[1])), substring(cells[1], 1, 100000), '')
        ])
    ) AS found,
    -- Years, months, days and the rest of times that are no ISO 8601.
    word -> toString(indexOf(['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'], lower(substring(word, 1, 3)))) AS month,
    (text, form) -> extractGroups(text, concat('^', form, '$')) AS groups,
    between -> between = '.' OR {dates:String} = 'day-first' AS day_first,
    text -> arrayFirst(parts -> parts[1] != '', [
        arrayMap(
            g -> [g[4], if(day_first(g[2]), g[3], g[1]), if(day_first(g[2]), g[1], g[3]), g[5]],
            [groups(text, '([0-9]{1,2})([./-])([0-9]{1,2})[./-]([0-9]{4})(?:,? +|[T:])?(.*)')]
        )[1],
        arrayMap(g -> [g[1], g[2], g[3], g[4]], [groups(text, '([0-9]{4})[./-]([0-9]{1,2})[./-]([0-9]{1,2})(?:,? +|[Tt_])?(.*)')])[1],
        arrayMap(
            g -> [g[1], g[2], g[3], if(g[4] = '', '', concat(g[4], ':', g[5], if(g[6] = '', '', concat(':', g[6])), g[7]))],
            [groups(text, '(20[0-9]{2})([0-9]{2})([0-9]{2})(?:T([0-9]{2})([0-9]{2})([0-9]{2})?([.,][0-9]+)?(?:Z|UTC)?)?')]
        )[1],
        arrayMap(
            g -> [g[3], month(g[2]), g[1], g[4]],
            [groups(text, '(?:[A-Za-z]{3,9},? +)?([0-9]{1,2})[ /-]+([A-Za-z]{3,9})[.]?[ /,-]+([0-9]{4})(?:,? +(?:at +)?|[T:])?(.*)')]
        )[1],
        arrayMap(
            g -> [g[3], month(g[1]), g[2], g[4]],
            [groups(text, '(?:[A-Za-z]{3,9},? +)?([A-Za-z]{3,9})[.]? +([0-9]{1,2}),? +([0-9]{4})(?:,? +(?:at +)?|[T:])?(.*)')]
        )[1],
        arrayMap(
            g -> [g[5], month(g[1]), g[2], concat(g[3], g[4])],
            [groups(text, '[A-Za-z]{3},? +([A-Za-z]{3}) +([0-9]{1,2}) +([0-9:.]+)( +(?:UTC|GMT|Z|[+-][0-9]{4}))? +([0-9]{4})')]
        )[1]
    ]) AS dated,
    g -> if(g[1] = '', 'none', concat(
        leftPad(if(g[5] = '', g[1], toString(toUInt8OrZero(g[1]) % 12 + if(lower(g[5]) = 'p', 12, 0))), 2, '0'), ':', g[2], ':', if(g[3] = '', '00', g[3]),
        if(g[4] = '', '', concat('.', g[4])), if(lower(g[6]) IN ('z', 'utc', 'gmt'), 'Z', g[6])
    )) AS joined,
    rest -> if(rest = '', '00:00:00', joined(extractGroups(
        rest,
        '^([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9})[0-9]*)?)?\\s?(?:([AaPp])[.]?[Mm][.]?)?\\s?(?:([Zz]|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2})?)(?: ?[(]?[A-Z]{3,4}[)]?| ?[[][\\w/]+[]])?)?$'
    ))) AS clock,
    parts -> if(parts[1] = '', '', concat(parts[1], '-', leftPad(parts[2], 2, '0'), '-', leftPad(parts[3], 2, '0'), ' ', clock(parts[4]))) AS written,
    text -> multiIf(
        NOT {odd:Bool}, text,
        {excel:Bool}, if(
            match(text, '^[0-9]{1,6}([.,][0-9]+)?$'),
            toString(fromUnixTimestamp64Milli(toInt64(round(toFloat64OrZero(replaceOne(text, ',', '.')) * 86400000)) - 2209161600000, 'UTC')), ''
        ),
        match(text, '^[0-9]{1,19}([.,][0-9]+)?$') AND NOT match(text, '^20[0-9]{6}$'), replaceOne(text, ',', '.'),
        written(dated(text))
    ) AS moment,
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
        arrayMap(text -> moment(text), [found['timestamp'], found['end_time']])
    ) AS times
SELECT
    {import_id:UInt64} AS import_id,
    number AS row,
    mapFilter((target, text) -> text != '', if(
        {cents:Bool} AND found['cost_cents'] != '',
        mapConcat(found, map('cost', ifNull(toString(toDecimal256OrNull(replaceOne(found['cost_cents'], '$', ''), 18) / 100), ''))), found
    )) AS fields,
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
    AND (found[''] != '' OR arrayAll(
        (place, path, wanted) -> has(splitByChar(char(31), wanted), lower(told(said(cells[place], path)))),
        {only_places:Array(UInt32)}, {only_paths:Array(String)}, {only_values:Array(String)}
    ))
