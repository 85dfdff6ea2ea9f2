-- Which files of usage were imported? The newest first.
SELECT import_id, imported_at, file, digest, columns, constants, times, rows, new_calls, first_call, last_call
FROM usage_imports
ORDER BY imported_at DESC, import_id
LIMIT {limit:UInt32}
