-- What does Anthropic say that its API cost? Its costs as the console exports them, a row for each day, model and kind of token, or as pages of
-- its cost report, whose amounts are cents.
INSERT INTO bill_texts
SELECT
    {import_id:UInt64} AS import_id,
    {file:UInt32} AS file,
    line,
    {comma:Bool} AS comma,
    reinterpretAsFixedString(sipHash128(v, bucket, said)) AS digest,
    arrayMap(x -> ifNull(x, ''), [amount, amount, v[at['listpriceusd']], NULL, NULL, NULL, NULL, NULL]) AS numbers,
    [
        toString(toStartOfMonth(toDateOrZero(substring(since, 1, 10)))), toString(addMonths(toStartOfMonth(toDateOrZero(substring(since, 1, 10))), 1)),
        since, if(until != '', until, toString(addDays(toDateOrZero(substring(since, 1, 10)), 1)))
    ] AS times,
    'Anthropic' AS provider_name,
    'Anthropic' AS publisher_name,
    'Anthropic' AS invoice_issuer_name,
    '' AS invoice_id,
    '' AS billing_account_id,
    '' AS billing_account_name,
    coalesce(v[at['workspace']], JSONExtractString(said, 'workspace_id')) AS sub_account_id,
    ifNull(v[at['workspace']], '') AS sub_account_name,
    'Usage' AS charge_category,
    '' AS charge_class,
    'Usage-Based' AS charge_frequency,
    if(said = '', trimBoth(concat(model, ' ', replaceAll(kind, '_', ' '))), JSONExtractString(said, 'description')) AS charge_description,
    coalesce(v[at['costtype']], JSONExtractString(said, 'cost_type')) AS line_type,
    'AI and Machine Learning' AS service_category,
    '' AS service_subcategory,
    'Claude API' AS service_name,
    coalesce(v[at['inferencegeo']], JSONExtractString(said, 'inference_geo')) AS region,
    '' AS availability_zone,
    model AS resource_id,
    '' AS resource_name,
    '' AS resource_type,
    '' AS sku_id,
    '' AS sku_price_id,
    kind AS sku_meter,
    coalesce(v[at['usagetype']], JSONExtractString(said, 'service_tier')) AS pricing_category,
    '' AS pricing_unit,
    '' AS consumed_unit,
    if(said = '', 'USD', JSONExtractString(said, 'currency')) AS billing_currency,
    '' AS commitment_id,
    '' AS commitment_name,
    '' AS commitment_type,
    '' AS commitment_category,
    '' AS commitment_status,
    mapFilter((k, x) -> x != '', map('api_key', coalesce(v[at['apikey']], ''), 'context_window', coalesce(v[at['contextwindow']], ''))) AS tags
FROM (
    SELECT
        line,
        v,
        at,
        part.1 AS bucket,
        part.2 AS said,
        JSONExtractString(said, 'amount') AS cents,
        if(
            said = '', v[at['costusd']],
            if(isNull(toDecimal256OrNull(cents, 48)), cents, toString(toDecimal256(cents, 48) / 100))
        ) AS amount,
        coalesce(v[at['model']], JSONExtractString(said, 'model')) AS model,
        coalesce(v[at['tokentype']], JSONExtractString(said, 'token_type')) AS kind,
        coalesce(v[at['usagedateutc']], JSONExtractString(bucket, 'starting_at')) AS since,
        JSONExtractString(bucket, 'ending_at') AS until
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
