-- What does a FOCUS file say? Versions 1.0 to 1.4 (and what 0.5 calls otherwise), as text.
-- Where no billing period is named at all, it is the calendar month that a charge begins in. Tags are an object, or a list of keys and values.
INSERT INTO bill_texts
WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
SELECT
    {import_id:UInt64} AS import_id,
    {file:UInt32} AS file,
    line,
    {comma:Bool} AS comma,
    reinterpretAsFixedString(sipHash128(v)) AS digest,
    arrayMap(x -> ifNull(x, ''), [
        v[at['billedcost']],
        coalesce(v[at['effectivecost']], v[at['amortizedcost']]),
        v[at['listcost']],
        v[at['contractedcost']],
        v[at['listunitprice']],
        v[at['contractedunitprice']],
        coalesce(v[at['pricingquantity']], v[at['usagequantity']]),
        v[at['consumedquantity']]
    ]) AS numbers,
    arrayMap(x -> ifNull(x, ''), [
        if(dated, v[at['billingperiodstart']], toString(toStartOfMonth(begins))), if(dated, v[at['billingperiodend']], toString(addMonths(toStartOfMonth(begins), 1))),
        v[at['chargeperiodstart']], v[at['chargeperiodend']]
    ]) AS times,
    coalesce(v[at['serviceprovidername']], v[at['providername']], v[at['provider']], '') AS provider_name,
    coalesce(v[at['hostprovidername']], v[at['publishername']], v[at['publisher']], '') AS publisher_name,
    coalesce(v[at['invoiceissuername']], v[at['invoiceissuer']], '') AS invoice_issuer_name,
    ifNull(v[at['invoiceid']], '') AS invoice_id,
    ifNull(v[at['billingaccountid']], '') AS billing_account_id,
    ifNull(v[at['billingaccountname']], '') AS billing_account_name,
    ifNull(v[at['subaccountid']], '') AS sub_account_id,
    ifNull(v[at['subaccountname']], '') AS sub_account_name,
    initcap(coalesce(v[at['chargecategory']], v[at['chargetype']], '')) AS charge_category,
    if(lower(coalesce(v[at['chargeclass']], v[at['chargesubcategory']], '')) = 'correction', 'Correction', ifNull(v[at['chargeclass']], '')) AS charge_class,
    ifNull(v[at['chargefrequency']], '') AS charge_frequency,
    ifNull(v[at['chargedescription']], '') AS charge_description,
    '' AS line_type,
    ifNull(v[at['servicecategory']], '') AS service_category,
    ifNull(v[at['servicesubcategory']], '') AS service_subcategory,
    ifNull(v[at['servicename']], '') AS service_name,
    coalesce(v[at['regionid']], v[at['region']], '') AS region,
    ifNull(v[at['availabilityzone']], '') AS availability_zone,
    ifNull(v[at['resourceid']], '') AS resource_id,
    ifNull(v[at['resourcename']], '') AS resource_name,
    ifNull(v[at['resourcetype']], '') AS resource_type,
    ifNull(v[at['skuid']], '') AS sku_id,
    ifNull(v[at['skupriceid']], '') AS sku_price_id,
    ifNull(v[at['skumeter']], '') AS sku_meter,
    ifNull(v[at['pricingcategory']], '') AS pricing_category,
    coalesce(v[at['pricingunit']], v[at['usageunit']], '') AS pricing_unit,
    ifNull(v[at['consumedunit']], '') AS consumed_unit,
    ifNull(v[at['billingcurrency']], '') AS billing_currency,
    ifNull(v[at['commitmentdiscountid']], '') AS commitment_id,
    ifNull(v[at['commitmentdiscountname']], '') AS commitment_name,
    ifNull(v[at['commitmentdiscounttype']], '') AS commitment_type,
    ifNull(v[at['commitmentdiscountcategory']], '') AS commitment_category,
    ifNull(v[at['commitmentdiscountstatus']], '') AS commitment_status,
    if(
        startsWith(told_tags, '['),
        CAST(arrayMap(
            x -> (
                coalesce(nullIf(JSONExtractString(x, 'key'), ''), JSONExtractString(x, 'Key')),
                coalesce(nullIf(JSONExtractString(x, 'value'), ''), JSONExtractString(x, 'Value'))
            ), JSONExtractArrayRaw(told_tags)
        ) AS Map(String, String)),
        JSONExtract(told_tags, 'Map(String, String)')
    ) AS tags
FROM (
    WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
    SELECT
        line,
        v,
        at['billingperiodstart'] <= length(v) AS dated,
        parseDateTimeBestEffortUSOrNull(ifNull(v[at['chargeperiodstart']], ''), 'UTC') AS begins,
        trimBoth(ifNull(v[at['tags']], '{}')) AS told_tags
    FROM file_rows
)
