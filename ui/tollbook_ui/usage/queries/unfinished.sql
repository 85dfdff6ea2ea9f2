-- Which imports began and have not ended? Rows of theirs are staged: under their id, and under the next two where rows stand for many calls.
SELECT DISTINCT import_id FROM usage_rows ORDER BY import_id
