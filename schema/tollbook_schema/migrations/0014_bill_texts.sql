-- Numbers of bills have spaces of any width, apostrophes, trailing signs and currencies beside them; days may have the year first.
CREATE OR REPLACE VIEW bill_texts_read AS
SELECT
    *,
    arrayMap(
        x -> multiIf(
            comma AND match(x, '^[+-]?(\\d{1,3}(\\.\\d{3})+|\\d+)(,\\d+)?([eE][+-]?\\d{1,3})?$'), replaceOne(replaceAll(x, '.', ''), ',', '.'),
            NOT comma AND match(x, '^[+-]?\\d{1,3}(,\\d{3})+(,\\d{3}|\\.\\d+)$'), replaceAll(x, ',', ''),
            x
        ),
        arrayMap(
            x -> replaceRegexpOne(replaceRegexpOne(replaceRegexpOne(
                replaceRegexpAll(replaceAll(x, '−', '-'), '[\\s\\x{00a0}\\x{2000}-\\x{200a}\\x{202f}\\x{205f}\'’$€£¥]', ''),
                '^([A-Z]{3})?([+-]?[\\d(].*?)([A-Z]{3})?$', '\\2'), '^\\((.*)\\)$', '-\\1'), '^(\\d.*)-$', '-\\1'
            ),
            numbers
        )
    ) AS plain_numbers,
    arrayMap(
        x -> multiIf(
            match(x, '^(0?[1-9]|1[0-2])/\\d{1,2}/(\\d{2}|\\d{4})([ T]|$)'), parseDateTime64BestEffortUSOrNull(x, 3, 'UTC'),
            match(x, '^\\d{4}/\\d{1,2}/\\d{1,2}([ T]|$)'), parseDateTime64BestEffortOrNull(replaceAll(x, '/', '-'), 3, 'UTC'),
            match(x, '^(\\d{8}$|\\d{4}-\\d|\\d{1,2}\\.\\d{1,2}\\.\\d{4})'), parseDateTime64BestEffortOrNull(x, 3, 'UTC'),
            NULL
        ),
        times
    ) AS moments
FROM bill_texts;
