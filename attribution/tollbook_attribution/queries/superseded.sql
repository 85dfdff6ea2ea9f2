-- Are there rows of earlier settlements of this window, finished or not?
SELECT 1 AS found
FROM (
    SELECT tenant, window, settlement FROM calls_settled
    UNION ALL
    SELECT tenant, window, settlement FROM resource_costs_settled
    UNION ALL
    SELECT tenant, window, settlement FROM hosts_settled
    UNION ALL
    SELECT tenant, window, settlement FROM requests_settled
    UNION ALL
    SELECT tenant, window, settlement FROM accelerator_usage_settled
)
WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement < {settlement:UInt64}
LIMIT 1
