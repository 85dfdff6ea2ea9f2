-- Sums of days that hold no more go.
DELETE FROM day_costs_settled WHERE has({gone:Array(UInt64)}, made_from)
