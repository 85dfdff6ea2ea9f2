-- How many rows do files have that are being read: one of them, or all?
SELECT count() AS rows FROM usage_rows WHERE {import_id:UInt64} IN (0, import_id)
