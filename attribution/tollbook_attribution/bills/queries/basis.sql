-- What is a reconciliation worked out from? A digest of the bills in force, what they are mapped to, the estimates in their time and the rates.
SELECT
    cityHash64(
        (
            SELECT groupBitXor(cityHash64(provider, billing_account_id, billing_period_start, parts)) FROM current_bill_periods WHERE tenant = {tenant:String}
        ),
        (SELECT groupBitXor(cityHash64(mapping_id, set_at)) FROM current_bill_mappings WHERE tenant = {tenant:String}),
        (
            SELECT groupBitXor(cityHash64(window, category, resource, provider, account, quantity, toString(amount_usd), unpriced_tokens, unpriced_calls))
            FROM estimates
            WHERE tenant = {tenant:String}
                AND window >= (SELECT toStartOfHour(min(charge_period_start)) FROM bill WHERE tenant = {tenant:String})
                AND window < (SELECT max(charge_period_end) FROM bill WHERE tenant = {tenant:String})
        ),
        (
            SELECT groupBitXor(cityHash64(currency, day, usd_per_unit))
            FROM daily_exchange_rates
            WHERE currency IN (SELECT billing_currency FROM current_bill_periods WHERE tenant = {tenant:String})
        )
    ) AS basis,
    (SELECT count() FROM current_bill_periods WHERE tenant = {tenant:String}) AS periods
