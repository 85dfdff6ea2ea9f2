-- Which times of a staged file are no ISO 8601, and which of them tell whether the day or the month stands first? One above 12 is no month.
WITH extractGroups(text, '^([0-9]{1,2})[/-]([0-9]{1,2})[/-][0-9]{4}') AS numbers, toUInt8OrZero(numbers[1]) AS first, toUInt8OrZero(numbers[2]) AS second
SELECT
    count() AS odd,
    minOrNullIf((row, target, text), first <= 12 AND second <= 12 AND first != second) AS slashed,
    minOrNullIf((row, target, text), first > 12 AND second <= 12) AS day_first,
    minOrNullIf((row, target, text), second > 12 AND first <= 12) AS month_first
FROM (
    SELECT row, arrayJoin([('timestamp', fields['timestamp'], isNull(start_ns)), ('end_time', fields['end_time'], isNull(end_ns))]) AS time, time.1 AS target, time.2 AS text
    FROM usage_rows
    WHERE import_id = {import_id:UInt64} AND (isNull(start_ns) OR isNull(end_ns) AND fields['end_time'] != '')
)
WHERE text != '' AND time.3
