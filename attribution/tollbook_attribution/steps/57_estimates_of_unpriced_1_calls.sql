-- Which calls have no price, and may be billed all the same? Those that did not fail.
-- Trace by trace.
-- Where there is: work_priced
INSERT INTO work_unpriced
SELECT settlement, trace_id, span_id
FROM work_priced
WHERE settlement = {settlement:UInt64} AND ((price_status = 'unpriced' AND cost_usd = 0) OR (price_status = 'no_tokens' AND waste = ''))
