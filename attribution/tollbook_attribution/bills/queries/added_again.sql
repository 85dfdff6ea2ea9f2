-- How many of the lines of an import that is added to bills do these have already, and where does the first of them stand?
SELECT sum(least(added, there)) AS lines, sum(added) AS of, minIf(place, there > 0) AS at
FROM (
    SELECT countIf(import_id = {import_id:UInt64}) AS added, count() - added AS there, minIf((l.file, l.line), import_id = {import_id:UInt64}) AS place
    FROM bill_lines AS l
    WHERE tenant = {tenant:String} AND (billed_cost != 0 OR effective_cost != 0)
        AND (provider, billing_account_id, billing_period_start) GLOBAL IN (
            SELECT provider, billing_account_id, billing_period_start
            FROM bill_lines
            WHERE tenant = {tenant:String} AND import_id = {import_id:UInt64}
        )
        AND (import_id = {import_id:UInt64} OR import_id GLOBAL IN (
            SELECT arrayJoin(parts) FROM current_bill_periods WHERE tenant = {tenant:String}
        ))
    GROUP BY
        provider, billing_account_id, billing_period_start, charge_period_start, charge_period_end, sub_account_id, charge_category, charge_class,
        charge_description, line_type, service_name, region, resource_id, resource_name, sku_id, sku_price_id, sku_meter, consumed_unit, consumed_quantity,
        commitment_id, tags, invoice_id, billed_cost, effective_cost
    HAVING added > 0
)
