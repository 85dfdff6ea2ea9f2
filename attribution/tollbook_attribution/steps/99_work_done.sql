-- What was only needed on the way? The work tables' rows of this settlement.
ALTER TABLE work_spans DROP PARTITION {settlement:UInt64};
ALTER TABLE work_efforts DROP PARTITION {settlement:UInt64};
ALTER TABLE work_calls DROP PARTITION {settlement:UInt64};
ALTER TABLE work_told_again DROP PARTITION {settlement:UInt64};
ALTER TABLE work_priced DROP PARTITION {settlement:UInt64};
ALTER TABLE work_repeats DROP PARTITION {settlement:UInt64};
ALTER TABLE work_repeat_costs DROP PARTITION {settlement:UInt64};
