-- Which cells of a staged file cannot be read, and why? The first ones, in the order of the file.
WITH
    concat(
        'is no time: 2026-11-16T09:30:00, 16.11.2026 9:30, Mon, 16 Nov 2026 09:30:00 GMT are, and seconds to nanoseconds since 1970; ',
        'for another start give --epoch and --time-unit, for the days of a spreadsheet --time-unit excel'
    ) AS no_time,
    text -> multiIf(
        text = '', '',
        match(text, '^[0-9]+$'), if(length(text) > 12, 'is absurd: more than 10^12 in one call', ''),
        match(text, '^-'), 'is negative',
        match(text, '^[0-9]{1,3}([.,_\' ][0-9]{3})+$'), 'is written with thousands separators: digits alone are read',
        match(text, '^[0-9.]+,[0-9]+$'), 'has a decimal comma: digits alone are read',
        'is no whole number'
    ) AS count_problem,
    text -> multiIf(
        text = '', '',
        match(text, '^[$]?[0-9]+([.][0-9]+)?([eE][+-]?[0-9]{1,3})?$'), if(length(text) > 40, 'is absurd', ''),
        match(text, '^-'), 'is negative',
        match(text, '^[0-9]{1,3}([.][0-9]{3})*,[0-9]+$'), 'has a decimal comma: 1234.5 is read, 1.234,5 is not',
        match(text, '^[0-9]{1,3}(,[0-9]{3})+([.][0-9]+)?$'), 'is written with thousands separators: 1234.5 is read, 1,234.5 is not',
        'is no number'
    ) AS number_problem,
    target -> ifNull(toInt64OrNull(fields[target]), 0) AS counted
SELECT row, problem.1 AS target, problem.2 AS text, problem.3 AS reason, if(reason = 'is no JSON object', line, '') AS line
FROM (
    SELECT
        row,
        fields[''] AS line,
        arrayFilter(problem -> problem.3 != '', arrayConcat(
            [
                ('', '', if(fields[''] != '', 'is no JSON object', '')),
                ('timestamp', fields['timestamp'], multiIf(
                    fields[''] != '', '', fields['timestamp'] = '', 'is missing', isNull(start_ns), no_time,
                    start_ns < 946684800000000000 AND NOT {epoch:Bool}, 'is before the year 2000',
                    start_ns >= 4294967295000000000, 'is after the year 2106', ''
                )),
                ('end_time', fields['end_time'], multiIf(
                    fields['end_time'] = '', '', isNull(end_ns), no_time, end_ns < start_ns, 'is before the call began', ''
                )),
                ('calls', fields['calls'], multiIf(
                    lower(fields['calls']) = 'many', '',
                    count_problem(fields['calls']) != '', count_problem(fields['calls']),
                    counted('calls') > {most_calls:UInt32},
                    concat('is more than ', toString({most_calls:UInt32}), ' calls in one row: export shorter periods, or take the row as one call with --set calls=many'),
                    ''
                )),
                ('currency', fields['currency'], if(
                    fields['cost'] = '' OR match(fields['currency'], '^([A-Za-z]{3})?$'), '', 'is no currency: three letters, as EUR'
                )),
                ('usage', substring(fields['usage'], 1, 60), multiIf(
                    fields['usage'] = '', '',
                    NOT startsWith(fields['usage'], '{') OR NOT isValidJSON(fields['usage']), 'is no JSON object of counts',
                    match(fields['usage'], '(?i)tokens?[a-z_]*"\\s*:\\s*-'), 'holds a negative count',
                    match(fields['usage'], '(?i)tokens?[a-z_]*"\\s*:\\s*[0-9]{13}'), 'holds an absurd count: more than 10^12 in one call',
                    ''
                )),
                ('model', '', if(fields[''] = '' AND fields['model'] = '' AND fields['cost'] = '', if(fields['calls'] = '', 'is missing', 'is missing: export the usage by model'), '')),
                ('cache_read_tokens', fields['cache_read_tokens'], if(
                    match(fields['input_tokens'], '^[0-9]+$')
                        AND counted('cache_read_tokens') + counted('cache_write_tokens') + counted('cache_write_1h_tokens') > counted('input_tokens'),
                    concat(
                        'and cache writes are more than the input tokens, which hold them: ', fields['input_tokens'],
                        '; where the input is counted without cached tokens, map it to uncached_input_tokens'
                    ),
                    ''
                )),
                ('reasoning_tokens', fields['reasoning_tokens'], if(
                    match(fields['output_tokens'], '^[0-9]+$') AND counted('reasoning_tokens') > counted('output_tokens'),
                    concat('are more than the output tokens, which hold them: ', fields['output_tokens']), ''
                ))
            ],
            arrayMap(target -> (target, fields[target], count_problem(fields[target])), {counts:Array(String)}),
            arrayMap(target -> (target, fields[target], number_problem(fields[target])), {numbers:Array(String)}),
            arrayMap(target -> (target, '', 'is no text in UTF-8'), arrayFilter(target -> NOT isValidUTF8(fields[target]), mapKeys(fields)))
        )) AS problems
    FROM usage_rows
    WHERE import_id = {import_id:UInt64}
)
ARRAY JOIN problems AS problem
ORDER BY row, target
LIMIT {limit:UInt32}
