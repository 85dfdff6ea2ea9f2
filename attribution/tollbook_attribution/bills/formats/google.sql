-- What does a billing export of Google Cloud say? Standard and detailed, from BigQuery: nested as Parquet and JSON have it, or flattened.
-- Each credit of a row becomes a line of its own, so that the lines sum to the invoice. Its console's cost table has rows of credits, whole days and
-- costs before they are rounded, and says the currency and the day of the invoice above its header;
-- its commas are between thousands.
INSERT INTO bill_texts
WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
SELECT
    {import_id:UInt64} AS import_id,
    {file:UInt32} AS file,
    line,
    {comma:Bool} AS comma,
    reinterpretAsFixedString(sipHash128(v, part.1)) AS digest,
    arrayMap(x -> ifNull(x, ''), [
        part.2,
        part.2,
        if(part.1 = 0, coalesce(v[at['costatlist']], ''), ''),
        NULL,
        NULL,
        coalesce(v[at['priceeffectiveprice']], JSONExtractString(price, 'effective_price')),
        if(part.1 = 0, coalesce(v[at['usageamountinpricingunits']], JSONExtractString(used, 'amount_in_pricing_units')), ''),
        if(part.1 = 0, coalesce(if(isNull(v[at['unroundedcost']]), v[at['usageamount']], replaceAll(v[at['usageamount']], ',', '')), JSONExtractString(used, 'amount')), '')
    ]) AS numbers,
    arrayMap(x -> ifNull(x, ''), [
        if(length(month) = 6, concat(substring(month, 1, 4), '-', substring(month, 5, 2), '-01'), toString(toStartOfMonth(start))),
        if(
            length(month) = 6,
            toString(addMonths(toDateOrZero(concat(substring(month, 1, 4), '-', substring(month, 5, 2), '-01')), 1)),
            toString(addMonths(toStartOfMonth(start), 1))
        ),
        starts, ends
    ]) AS times,
    'Google Cloud' AS provider_name,
    coalesce(v[at['sellername']], '') AS publisher_name,
    'Google Cloud' AS invoice_issuer_name,
    '' AS invoice_id,
    ifNull(v[at['billingaccountid']], '') AS billing_account_id,
    '' AS billing_account_name,
    coalesce(v[at['projectid']], nullIf(JSONExtractString(project, 'id'), ''), '') AS sub_account_id,
    coalesce(v[at['projectname']], nullIf(JSONExtractString(project, 'name'), ''), '') AS sub_account_name,
    multiIf(
        part.1 > 0 OR isNotNull(v[at['credittype']]), 'Credit',
        kind = 'tax', 'Tax',
        kind IN ('adjustment', 'rounding_error', 'rounding error'), 'Adjustment',
        'Usage'
    ) AS charge_category,
    if(coalesce(v[at['adjustmentinfotype']], nullIf(JSONExtractString(adjustment, 'type'), ''), '') != '', 'Correction', '') AS charge_class,
    'Usage-Based' AS charge_frequency,
    if(part.1 > 0, part.3, coalesce(v[at['skudescription']], JSONExtractString(sku, 'description'))) AS charge_description,
    if(part.1 > 0, part.4, kind) AS line_type,
    '' AS service_category,
    '' AS service_subcategory,
    coalesce(v[at['servicedescription']], JSONExtractString(service, 'description')) AS service_name,
    coalesce(v[at['locationregion']], nullIf(JSONExtractString(location, 'region'), ''), v[at['locationlocation']], JSONExtractString(location, 'location')) AS region,
    coalesce(v[at['locationzone']], JSONExtractString(location, 'zone')) AS availability_zone,
    coalesce(v[at['resourceglobalname']], nullIf(JSONExtractString(resource, 'global_name'), ''), v[at['resourcename']], JSONExtractString(resource, 'name')) AS resource_id,
    coalesce(v[at['resourcename']], JSONExtractString(resource, 'name')) AS resource_name,
    '' AS resource_type,
    coalesce(v[at['skuid']], JSONExtractString(sku, 'id')) AS sku_id,
    '' AS sku_price_id,
    coalesce(v[at['skudescription']], JSONExtractString(sku, 'description')) AS sku_meter,
    coalesce(v[at['consumptionmodeldescription']], '') AS pricing_category,
    coalesce(v[at['usagepricingunit']], JSONExtractString(used, 'pricing_unit')) AS pricing_unit,
    coalesce(v[at['usageunit']], JSONExtractString(used, 'unit')) AS consumed_unit,
    ifNull(v[at['currency']], '') AS billing_currency,
    '' AS commitment_id,
    '' AS commitment_name,
    '' AS commitment_type,
    '' AS commitment_category,
    '' AS commitment_status,
    CAST(
        arrayMap(x -> (JSONExtractString(x, 'key'), JSONExtractString(x, 'value')), JSONExtractArrayRaw(coalesce(v[at['labels']], '[]')))
        AS Map(String, String)
    ) AS tags
FROM (
    SELECT
        line,
        v,
        lower(coalesce(v[at['costtype']], 'regular')) AS kind,
        coalesce(v[at['invoicemonth']], nullIf(JSONExtractString(ifNull(v[at['invoice']], '{}'), 'month'), ''), formatDateTime(invoiced, '%Y%m'), '') AS month,
        parseDateTimeBestEffortOrNull(ifNull(v[at['invoicedate']], ''), 'UTC') AS invoiced,
        -- The cost table's rows without days, such as what rounding leaves, are of the invoice's month; its last days are part of the usage.
        coalesce(v[at['usagestarttime']], v[at['usagestartdate']], toString(toStartOfMonth(invoiced))) AS starts,
        parseDateTimeBestEffortOrNull(ifNull(v[at['usageenddate']], ''), 'UTC') AS last_day,
        coalesce(v[at['usageendtime']], toString(addDays(last_day, 1)), starts) AS ends,
        parseDateTimeBestEffortOrNull(ifNull(starts, ''), 'UTC') AS start,
        ifNull(v[at['service']], '{}') AS service,
        ifNull(v[at['sku']], '{}') AS sku,
        ifNull(v[at['project']], '{}') AS project,
        ifNull(v[at['location']], '{}') AS location,
        ifNull(v[at['resource']], '{}') AS resource,
        ifNull(v[at['price']], '{}') AS price,
        ifNull(v[at['usage']], '{}') AS used,
        ifNull(v[at['adjustmentinfo']], '{}') AS adjustment,
        coalesce(v[at['credits']], '[]') AS credits_text,
        JSONExtractArrayRaw(credits_text) AS credits,
        extractAll(credits_text, '"amount"\\s*:\\s*"?([^",}\\s]+)') AS credit_amounts,
        arrayJoin(arrayConcat(
            [(0, coalesce(replaceAll(v[at['unroundedcost']], ',', ''), v[at['cost']], ''), '', '')],
            arrayMap(
                (x, i) -> (
                    i,
                    credit_amounts[i],
                    coalesce(nullIf(JSONExtractString(x, 'full_name'), ''), JSONExtractString(x, 'name')),
                    JSONExtractString(x, 'type')
                ),
                credits,
                arrayEnumerate(credits)
            ),
            -- What is no list of JSON, such as a list as Python writes it, is told as an amount, and refused as one that is no number.
            if(isValidJSON(credits_text) AND startsWith(trimBoth(credits_text), '['), [], [(1, concat('credits: ', credits_text), '', '')]),
            if(isNull(v[at['creditsamount']]), [], [(1, assumeNotNull(v[at['creditsamount']]), ifNull(v[at['creditsname']], ''), ifNull(v[at['creditstype']], ''))])
        )) AS part
    FROM (SELECT mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at, * FROM file_rows)
)
