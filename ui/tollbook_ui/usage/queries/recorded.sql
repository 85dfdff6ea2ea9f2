-- Which of these imports ended?
SELECT import_id FROM usage_imports WHERE has({import_ids:Array(UInt64)}, import_id)
