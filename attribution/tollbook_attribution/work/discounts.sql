-- What came off list prices, in words. Tables of an earlier release do not have it.
ALTER TABLE work_transfers ADD COLUMN IF NOT EXISTS discount LowCardinality(String);
ALTER TABLE work_devices ADD COLUMN IF NOT EXISTS discount LowCardinality(String)
