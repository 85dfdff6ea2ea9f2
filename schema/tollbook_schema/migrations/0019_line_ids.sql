-- What names a line is worked out when it is asked for: stored, it was a quarter of the ledger on disk and of what writing it takes.
ALTER TABLE ledger_settled DROP COLUMN IF EXISTS line_id;

CREATE OR REPLACE VIEW ledger AS
SELECT *, cityHash64(trace_id, span_id, window, allocation, category, resource, item, price_id, method) AS line_id
FROM ledger_settled WHERE (tenant, window, settlement) IN (SELECT tenant, window, settlement FROM current_settlements)
