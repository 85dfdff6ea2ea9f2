-- What contracts take off the list prices of storage and of services paid by use, in words.
ALTER TABLE storage_settled ADD COLUMN IF NOT EXISTS discount LowCardinality(String);
ALTER TABLE services_settled ADD COLUMN IF NOT EXISTS discount LowCardinality(String);
