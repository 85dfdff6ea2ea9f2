-- What was only needed on the way? A work table's rows of this settlement.
ALTER TABLE any_table DROP PARTITION {settlement:UInt64}
