-- What was charged, in sums of lines that tell the same? Of the bills in force.
INSERT INTO bill_charges
SELECT
    {run:UInt64} AS run,
    {tenant:String} AS tenant,
    cityHash64(provider, service, service_category, account, charge_category, resource_id, resource_name, sku_id, sku_meter, description) AS thing,
    provider,
    service_name AS service,
    b.service_category AS service_category,
    if(sub_account_id != '', sub_account_id, billing_account_id) AS account,
    billing_period_start,
    max(b.billing_period_end) AS billing_period_end,
    charge_period_start,
    charge_period_end,
    b.charge_category AS charge_category,
    resource_id,
    resource_name,
    sku_id,
    sku_meter,
    charge_description AS description,
    lower(if(isNotNull(b.consumed_quantity), consumed_unit, pricing_unit)) AS unit,
    sum(ifNull(coalesce(b.consumed_quantity, b.pricing_quantity), toDecimal256(0, 50))) AS quantity,
    billing_currency AS currency,
    sum(if({cost:String} = 'effective', b.effective_cost, b.billed_cost)) AS billed,
    count() AS lines,
    charge_class
FROM bill AS b
WHERE tenant = {tenant:String}
GROUP BY
    provider, service, service_category, account, billing_period_start, charge_period_start, charge_period_end, charge_category, resource_id,
    resource_name, sku_id, sku_meter, description, unit, currency, charge_class
