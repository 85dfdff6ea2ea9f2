-- What does a cost export of Azure say? Actual and amortized; Microsoft Customer Agreement, Enterprise Agreement and the usage details before it.
-- Billed is the file's own cost in the billing currency, amortized where the file is: import one of the two for a period, the newest counts.
INSERT INTO bill_texts
WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
SELECT
    {import_id:UInt64} AS import_id,
    {file:UInt32} AS file,
    line,
    {comma:Bool} AS comma,
    reinterpretAsFixedString(sipHash128(v)) AS digest,
    arrayMap(x -> ifNull(x, ''), [
        cost,
        cost,
        coalesce(v[at['paygcostinbillingcurrency']], ''),
        NULL,
        coalesce(v[at['paygprice']], ''),
        coalesce(v[at['effectiveprice']], v[at['unitprice']], v[at['resourcerate']]),
        coalesce(v[at['quantity']], v[at['usagequantity']], v[at['consumedquantity']]),
        coalesce(v[at['quantity']], v[at['usagequantity']], v[at['consumedquantity']])
    ]) AS numbers,
    arrayMap(x -> ifNull(x, ''), [
        coalesce(v[at['billingperiodstartdate']], month_start),
        if(isNull(last_day), coalesce(v[at['billingperiodenddate']], month_end), toString(addDays(assumeNotNull(last_day), toDayOfMonth(last_day) != 1))),
        day,
        multiIf(isNull(start), '', isNull(told_day), month_end, toString(addDays(assumeNotNull(start), 1)))
    ]) AS times,
    'Microsoft' AS provider_name,
    ifNull(v[at['publishername']], '') AS publisher_name,
    'Microsoft' AS invoice_issuer_name,
    ifNull(v[at['invoiceid']], '') AS invoice_id,
    -- A profile has one currency and one invoice, an account of a Customer Agreement has many; in Azure's own FOCUS it is the profile too.
    coalesce(v[at['billingprofileid']], v[at['billingaccountid']], v[at['enrollmentnumber']], v[at['accountownerid']], '') AS billing_account_id,
    coalesce(v[at['billingprofilename']], v[at['billingaccountname']], v[at['accountname']], '') AS billing_account_name,
    coalesce(v[at['subscriptionid']], v[at['subscriptionguid']], '') AS sub_account_id,
    ifNull(v[at['subscriptionname']], '') AS sub_account_name,
    multiIf(
        charge IN ('usage', '', 'unusedreservation', 'unusedsavingsplan'), 'Usage',
        charge = 'purchase', 'Purchase',
        charge = 'tax', 'Tax',
        charge IN ('credit', 'azurecredit'), 'Credit',
        'Adjustment'
    ) AS charge_category,
    if(charge = 'refund', 'Correction', '') AS charge_class,
    multiIf(lower(frequency) = 'onetime', 'One-Time', lower(frequency) = 'recurring', 'Recurring', 'Usage-Based') AS charge_frequency,
    coalesce(v[at['productname']], v[at['product']], '') AS charge_description,
    coalesce(v[at['chargetype']], '') AS line_type,
    coalesce(v[at['servicefamily']], '') AS service_category,
    coalesce(v[at['metersubcategory']], '') AS service_subcategory,
    coalesce(v[at['metercategory']], v[at['servicename']], v[at['consumedservice']], '') AS service_name,
    coalesce(v[at['resourcelocation']], v[at['resourcelocationnormalized']], v[at['meterregion']], '') AS region,
    ifNull(v[at['availabilityzone']], '') AS availability_zone,
    coalesce(v[at['resourceid']], v[at['instanceid']], v[at['instancename']], '') AS resource_id,
    coalesce(v[at['resourcename']], '') AS resource_name,
    coalesce(v[at['resourcetype']], '') AS resource_type,
    coalesce(v[at['meterid']], '') AS sku_id,
    coalesce(v[at['partnumber']], v[at['productid']], v[at['productorderid']], '') AS sku_price_id,
    coalesce(v[at['metername']], '') AS sku_meter,
    coalesce(v[at['pricingmodel']], '') AS pricing_category,
    coalesce(v[at['unitofmeasure']], '') AS pricing_unit,
    coalesce(v[at['unitofmeasure']], '') AS consumed_unit,
    coalesce(v[at['billingcurrency']], v[at['billingcurrencycode']], v[at['currency']], v[at['currencycode']], '') AS billing_currency,
    coalesce(v[at['reservationid']], v[at['benefitid']], '') AS commitment_id,
    coalesce(v[at['reservationname']], v[at['benefitname']], '') AS commitment_name,
    multiIf(lower(ifNull(v[at['pricingmodel']], '')) = 'savingsplan', 'Savings Plan', commitment_id != '', 'Reservation', '') AS commitment_type,
    multiIf(lower(ifNull(v[at['pricingmodel']], '')) = 'savingsplan', 'Spend', commitment_id != '', 'Usage', '') AS commitment_category,
    multiIf(charge IN ('unusedreservation', 'unusedsavingsplan'), 'Unused', charge = 'usage' AND commitment_id != '', 'Used', '') AS commitment_status,
    JSONExtract(
        if(startsWith(trimBoth(ifNull(v[at['tags']], '')), '{'), ifNull(v[at['tags']], ''), concat('{', ifNull(v[at['tags']], ''), '}')),
        'Map(String, String)'
    ) AS tags
FROM (
    WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
    SELECT
        line,
        v,
        coalesce(
            v[at['costinbillingcurrency']],
            v[at['pretaxcost']],
            v[at['cost']],
            v[at['extendedcost']]
        ) AS cost,
        lower(ifNull(v[at['chargetype']], '')) AS charge,
        ifNull(v[at['frequency']], '') AS frequency,
        coalesce(v[at['date']], v[at['usagedatetime']], v[at['usagedate']], v[at['usagestart']]) AS told_day,
        -- Answers that are asked month by month have nothing but the month.
        coalesce(told_day, v[at['billingmonth']]) AS day,
        if(match(ifNull(day, ''), '^\\d{1,2}/'), parseDateTimeBestEffortUSOrNull(day, 'UTC'), parseDateTimeBestEffortOrNull(day, 'UTC')) AS start,
        ifNull(v[at['billingperiodenddate']], '') AS told_end,
        -- Azure names the last day that is part of the period.
        if(match(told_end, '^\\d{1,2}/'), parseDateTimeBestEffortUSOrNull(told_end, 'UTC'), parseDateTimeBestEffortOrNull(told_end, 'UTC')) AS last_day,
        toString(toStartOfMonth(start)) AS month_start,
        toString(addMonths(toStartOfMonth(start), 1)) AS month_end
    FROM file_rows
)
