-- The staged rows of a file are no longer needed.
ALTER TABLE usage_rows DROP PARTITION {import_id:UInt64}
