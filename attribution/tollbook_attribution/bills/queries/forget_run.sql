-- What was only needed while a bill was reconciled?
ALTER TABLE bill_charges DROP PARTITION {run:UInt64};
ALTER TABLE bill_targets DROP PARTITION {run:UInt64};
