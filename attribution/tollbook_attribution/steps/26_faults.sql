-- Which counted calls were of no use, or not whole? Failed, cancelled by their caller, cut at a limit of length, or asked again.
-- Trace by trace.
-- Where there is: work_calls
INSERT INTO work_faults
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    failed,
    arrayExists(r -> match(r, '(?i)cancel|abort|interrupt|disconnect'), finish_reasons) AS cancelled,
    arrayExists(r -> match(r, '(?i)^(length|max[_ -]?(output[_ -]?)?tokens|model[_ -]?length|incomplete|.*context[_ -]window.*|token[_ -]limit)'), finish_reasons) AS cut,
    (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_duplicates WHERE settlement = {settlement:UInt64}) AS again
FROM work_calls
WHERE settlement = {settlement:UInt64} AND (failed OR cancelled OR cut OR again)
    AND (trace_id, span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
