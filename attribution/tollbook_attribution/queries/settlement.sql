-- What did this settlement of the window come to?
SELECT
    s.*,
    (
        SELECT countIf(role = 'counted' AND price_status = 'priced')
        FROM calls_settled
        WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64}
    ) AS priced_calls
FROM settlements AS s
WHERE s.tenant = {tenant:String} AND s.window = {window:DateTime('UTC')} AND s.settlement = {settlement:UInt64}
