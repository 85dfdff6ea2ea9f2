-- What does a cost report of Oracle Cloud say? A billing period is the month that the hour of a line lies in.
-- A line without a cost costs nothing, unless it has a price and a quantity.
INSERT INTO bill_texts
WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
SELECT
    {import_id:UInt64} AS import_id,
    {file:UInt32} AS file,
    line,
    {comma:Bool} AS comma,
    reinterpretAsFixedString(sipHash128(v)) AS digest,
    arrayMap(x -> ifNull(x, ''), [
        coalesce(v[at['costmycost']], if(match(v[at['costunitprice']], '[1-9]') AND match(v[at['usagebilledquantity']], '[1-9]'), NULL, '0')),
        v[at['costmycost']],
        NULL,
        NULL,
        NULL,
        v[at['costunitprice']],
        v[at['usagebilledquantity']],
        v[at['usagebilledquantity']]
    ]) AS numbers,
    arrayMap(x -> ifNull(x, ''), [
        toString(toStartOfMonth(start)), toString(addMonths(toStartOfMonth(start), 1)),
        v[at['lineitemintervalusagestart']], v[at['lineitemintervalusageend']]
    ]) AS times,
    'Oracle' AS provider_name,
    'Oracle' AS publisher_name,
    'Oracle' AS invoice_issuer_name,
    '' AS invoice_id,
    coalesce(v[at['lineitemtenantid']], v[at['costsubscriptionid']], '') AS billing_account_id,
    '' AS billing_account_name,
    ifNull(v[at['productcompartmentid']], '') AS sub_account_id,
    ifNull(v[at['productcompartmentname']], '') AS sub_account_name,
    'Usage' AS charge_category,
    if(lower(ifNull(v[at['lineitemiscorrection']], '')) IN ('true', '1'), 'Correction', '') AS charge_class,
    'Usage-Based' AS charge_frequency,
    coalesce(v[at['productdescription']], v[at['costskuunitdescription']], '') AS charge_description,
    if(upper(ifNull(v[at['costoverageflag']], '')) = 'Y', 'Overage', '') AS line_type,
    '' AS service_category,
    '' AS service_subcategory,
    ifNull(v[at['productservice']], '') AS service_name,
    ifNull(v[at['productregion']], '') AS region,
    ifNull(v[at['productavailabilitydomain']], '') AS availability_zone,
    ifNull(v[at['productresourceid']], '') AS resource_id,
    '' AS resource_name,
    '' AS resource_type,
    ifNull(v[at['costproductsku']], '') AS sku_id,
    '' AS sku_price_id,
    '' AS sku_meter,
    '' AS pricing_category,
    coalesce(v[at['costbillingunitreadable']], v[at['costskuunitdescription']], '') AS pricing_unit,
    coalesce(v[at['costbillingunitreadable']], v[at['costskuunitdescription']], '') AS consumed_unit,
    ifNull(v[at['costcurrencycode']], '') AS billing_currency,
    '' AS commitment_id,
    '' AS commitment_name,
    '' AS commitment_type,
    '' AS commitment_category,
    '' AS commitment_status,
    mapFilter((k, x) -> x != '', mapFromArrays({tag_names:Array(String)}, arrayMap(i -> ifNull(v[i], ''), {tag_at:Array(UInt32)}))) AS tags
FROM (
    WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
    SELECT line, v, parseDateTimeBestEffortOrNull(ifNull(v[at['lineitemintervalusagestart']], ''), 'UTC') AS start
    FROM file_rows
)
