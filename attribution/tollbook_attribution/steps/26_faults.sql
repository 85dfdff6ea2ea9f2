-- Which counted calls were of no use, or not whole? Failed for who called them, cancelled by their caller, cut at a limit of length, or asked again.
-- Trace by trace.
-- Where there is: work_calls
INSERT INTO work_faults
WITH
    (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_same_calls WHERE settlement = {settlement:UInt64} AND place = 1 AND failed) AS seen_to_fail,
    (trace_id, span_id) IN (SELECT trace_id, span_id FROM work_same_calls WHERE settlement = {settlement:UInt64} AND place = 1 AND NOT failed) AS seen_to_work,
    (trace_id, span_id) IN (
        SELECT trace_id, lower_id FROM work_pairs
        WHERE settlement = {settlement:UInt64} AND same_call AND upper_class = 'leaf' AND NOT upper_usage AND upper_failed AND lower_usage
    ) AS in_vain
SELECT
    {settlement:UInt64} AS settlement,
    w.trace_id AS trace_id,
    w.span_id AS span_id,
    ((w.failed OR arrayExists(r -> lower(r) IN ('error', 'failed'), w.finish_reasons)) AND NOT seen_to_work) OR seen_to_fail OR in_vain AS fails,
    arrayExists(r -> match(r, '(?i)cancel|abort|interrupt|disconnect'), w.finish_reasons) AS cancelled,
    arrayExists(r -> match(r, '(?i)^(?:FinishReason[.])?(length|max[_ -]?(output[_ -]?)?tokens|model[_ -]?length|incomplete|.*context[_ -]window.*|token[_ -]limit)'), w.finish_reasons) AS cut,
    (w.trace_id, w.span_id) IN (SELECT trace_id, span_id FROM work_duplicates WHERE settlement = {settlement:UInt64}) AS again
FROM work_calls AS w
WHERE w.settlement = {settlement:UInt64} AND (fails OR cancelled OR cut OR again)
    AND (w.trace_id, w.span_id) NOT IN (SELECT trace_id, span_id FROM work_told_again WHERE settlement = {settlement:UInt64})
