-- What was only needed while files were imported?
ALTER TABLE bill_texts DROP PARTITION {import_id:UInt64}
