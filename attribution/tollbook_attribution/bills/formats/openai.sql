-- What does OpenAI say that its API cost? Its costs as the console exports them, a row for each day and line item, or as pages of its Costs API.
-- Days without costs are rows without an amount.
INSERT INTO bill_texts
WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
SELECT
    {import_id:UInt64} AS import_id,
    {file:UInt32} AS file,
    line,
    {comma:Bool} AS comma,
    reinterpretAsFixedString(sipHash128(v, bucket, said)) AS digest,
    arrayMap(x -> ifNull(x, ''), [amount, amount, NULL, NULL, NULL, NULL, NULL, quantity]) AS numbers,
    [
        toString(toStartOfMonth(toDateOrZero(substring(since, 1, 10)))), toString(addMonths(toStartOfMonth(toDateOrZero(substring(since, 1, 10))), 1)), since, until
    ] AS times,
    'OpenAI' AS provider_name,
    'OpenAI' AS publisher_name,
    'OpenAI' AS invoice_issuer_name,
    '' AS invoice_id,
    coalesce(v[at['organizationid']], nullIf(JSONExtractString(said, 'organization_id'), ''), '') AS billing_account_id,
    coalesce(v[at['organizationname']], nullIf(JSONExtractString(said, 'organization_name'), ''), '') AS billing_account_name,
    coalesce(v[at['projectid']], nullIf(JSONExtractString(said, 'project_id'), ''), '') AS sub_account_id,
    coalesce(v[at['projectname']], nullIf(JSONExtractString(said, 'project_name'), ''), '') AS sub_account_name,
    'Usage' AS charge_category,
    '' AS charge_class,
    'Usage-Based' AS charge_frequency,
    item AS charge_description,
    '' AS line_type,
    'AI and Machine Learning' AS service_category,
    '' AS service_subcategory,
    'OpenAI API' AS service_name,
    '' AS region,
    '' AS availability_zone,
    if(position(item, ', ') > 0, extract(item, '^(.*), '), '') AS resource_id,
    '' AS resource_name,
    '' AS resource_type,
    '' AS sku_id,
    '' AS sku_price_id,
    item AS sku_meter,
    '' AS pricing_category,
    '' AS pricing_unit,
    coalesce(v[at['quantityunit']], '') AS consumed_unit,
    coalesce(v[at['amountcurrency']], JSONExtractString(said, 'amount', 'currency')) AS billing_currency,
    '' AS commitment_id,
    '' AS commitment_name,
    '' AS commitment_type,
    '' AS commitment_category,
    '' AS commitment_status,
    map() AS tags
FROM (
    SELECT
        line,
        v,
        at,
        part.1 AS bucket,
        part.2 AS said,
        coalesce(v[at['amountvalue']], nullIf(trim(BOTH '"' FROM JSONExtractRaw(said, 'amount', 'value')), '')) AS amount,
        v[at['quantity']] AS quantity,
        coalesce(v[at['lineitem']], JSONExtractString(said, 'line_item')) AS item,
        coalesce(v[at['starttime']], nullIf(JSONExtractRaw(bucket, 'start_time'), '')) AS starts,
        coalesce(v[at['endtime']], nullIf(JSONExtractRaw(bucket, 'end_time'), '')) AS ends,
        ifNull(if(match(ifNull(starts, ''), '^\\d{9,10}$'), toString(toDateTime(toUInt32OrZero(starts), 'UTC')), coalesce(v[at['starttimeiso']], starts)), '') AS since,
        ifNull(if(match(ifNull(ends, ''), '^\\d{9,10}$'), toString(toDateTime(toUInt32OrZero(ends), 'UTC')), coalesce(v[at['endtimeiso']], ends)), '') AS until
    FROM (
        SELECT
            *,
            mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at,
            arrayJoin(if(isNull(v[at['data']]), [('', '')], arrayFlatten(arrayMap(
                b -> arrayMap(r -> (b, r), JSONExtractArrayRaw(b, 'results')), JSONExtractArrayRaw(assumeNotNull(v[at['data']]))
            )))) AS part
        FROM file_rows
    )
)
WHERE isNotNull(amount) OR isNotNull(v[at['amountcurrency']])
