-- An import that was taken back is none. On one node.
DELETE FROM usage_imports WHERE import_id = {import_id:UInt64}
