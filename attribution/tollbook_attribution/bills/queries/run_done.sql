-- From this row on, a reconciliation is in force.
INSERT INTO bill_runs
SELECT {tenant:String} AS tenant, {run:UInt64} AS run, now64(3, 'UTC') AS reconciled_at, {cost:String} AS cost, {basis:UInt64} AS basis
