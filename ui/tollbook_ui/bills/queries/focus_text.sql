-- The same with every column as text, empty where it is unknown: what a CSV file has.
SELECT * APPLY(c -> ifNull(toString(c), '')) FROM focus_rows
