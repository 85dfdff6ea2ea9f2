-- The staged rows of a file are no longer needed.
ALTER TABLE usage_staged DROP PARTITION {import_id:UInt64}
