-- In which order do the days of a file stand that are written with slashes? A number above 12 is no month; and billing periods begin on the first.
SELECT
    countIf(first > 12) AS day_first,
    countIf(second > 12) AS month_first,
    countIf(is_period AND first = 1 AND second != 1) AS begins_day_first,
    countIf(is_period AND second = 1 AND first != 1) AS begins_month_first
FROM (
    SELECT
        place = {period:UInt32} AS is_period,
        arrayMap(x -> toUInt8OrZero(x), extractGroups(ifNull(v[place], ''), '^(\\d{1,2})/(\\d{1,2})/\\d{4}')) AS numbers,
        numbers[1] AS first,
        numbers[2] AS second
    FROM file_rows
    ARRAY JOIN {places:Array(UInt32)} AS place
)
