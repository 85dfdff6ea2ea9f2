-- Whose spans of an earlier hour are to be taken in? Those of the traces of spans that ran on.
INSERT INTO work_edges
SELECT DISTINCT {settlement:UInt64} AS settlement, trace_id
FROM work_long_spans AS w
WHERE w.settlement = {of:UInt64} AND w.began = {window:DateTime('UTC')}
