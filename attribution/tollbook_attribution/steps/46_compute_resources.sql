-- What did each machine cost in the window?
INSERT INTO work_resources
SELECT
    settlement,
    'compute' AS category,
    concat('host:', host) AS resource,
    toDecimal128(toDecimal256(observed_ns, 9) / toInt256(1000000000), 9) AS quantity,
    's' AS unit,
    amount_usd,
    rate_id AS price_id,
    splitByChar('@', toString(rate_id))[-1] AS price_version,
    'computed' AS basis
FROM hosts_settled
WHERE tenant = {tenant:String} AND window = {window:DateTime('UTC')} AND settlement = {settlement:UInt64} AND rate_id != ''
