-- Are there rows of earlier settlements of this window, finished or not?
SELECT 1 AS found
FROM (
    SELECT window, settlement FROM calls_settled
    UNION ALL
    SELECT window, settlement FROM resource_costs_settled
    UNION ALL
    SELECT window, settlement FROM hosts_settled
    UNION ALL
    SELECT window, settlement FROM requests_settled
    UNION ALL
    SELECT window, settlement FROM accelerator_usage_settled
)
WHERE window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64}
LIMIT 1
