-- What does a provider of models say that its API cost? OpenAI's and Anthropic's costs as their consoles export them, a row for each day and line item,
-- or as pages of their costs APIs: buckets of time with results in each, or such buckets line by line. Anthropic's pages tell cents. Days without costs are rows without an amount.
INSERT INTO bill_texts
SELECT
    {import_id:UInt64} AS import_id,
    {file:UInt32} AS file,
    line,
    {comma:Bool} AS comma,
    reinterpretAsFixedString(sipHash128(v, bucket, said)) AS digest,
    arrayMap(x -> ifNull(x, ''), [amount, amount, v[at['listpriceusd']], NULL, NULL, NULL, NULL, v[at['quantity']]]) AS numbers,
    [
        toString(toStartOfMonth(toDateOrZero(substring(since, 1, 10)))), toString(addMonths(toStartOfMonth(toDateOrZero(substring(since, 1, 10))), 1)),
        since, if(until != '' OR NOT anthropic, until, toString(addDays(toDateOrZero(substring(since, 1, 10)), 1)))
    ] AS times,
    if(anthropic, 'Anthropic', 'OpenAI') AS provider_name,
    provider_name AS publisher_name,
    provider_name AS invoice_issuer_name,
    '' AS invoice_id,
    coalesce(v[at['organizationid']], JSONExtractString(said, 'organization_id')) AS billing_account_id,
    coalesce(v[at['organizationname']], JSONExtractString(said, 'organization_name')) AS billing_account_name,
    coalesce(v[at['projectid']], v[at['workspace']], JSONExtractString(said, if(anthropic, 'workspace_id', 'project_id'))) AS sub_account_id,
    coalesce(v[at['projectname']], v[at['workspace']], JSONExtractString(said, 'project_name')) AS sub_account_name,
    'Usage' AS charge_category,
    '' AS charge_class,
    'Usage-Based' AS charge_frequency,
    multiIf(NOT anthropic, item, said = '', trimBoth(concat(model, ' ', replaceAll(kind, '_', ' '))), JSONExtractString(said, 'description')) AS charge_description,
    coalesce(v[at['costtype']], JSONExtractString(said, 'cost_type')) AS line_type,
    'AI and Machine Learning' AS service_category,
    '' AS service_subcategory,
    if(anthropic, 'Claude API', 'OpenAI API') AS service_name,
    coalesce(v[at['inferencegeo']], JSONExtractString(said, 'inference_geo')) AS region,
    '' AS availability_zone,
    model AS resource_id,
    '' AS resource_name,
    '' AS resource_type,
    '' AS sku_id,
    '' AS sku_price_id,
    if(anthropic, kind, item) AS sku_meter,
    coalesce(v[at['usagetype']], JSONExtractString(said, 'service_tier')) AS pricing_category,
    '' AS pricing_unit,
    coalesce(v[at['quantityunit']], '') AS consumed_unit,
    coalesce(
        v[at['amountcurrency']], nullIf(JSONExtractString(said, 'amount', 'currency'), ''), nullIf(JSONExtractString(said, 'currency'), ''),
        if(isNull(v[at['costusd']]), '', 'USD')
    ) AS billing_currency,
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
        isNotNull(v[at['usagedateutc']]) OR isNotNull(v[at['startingat']]) OR JSONHas(bucket, 'starting_at') AS anthropic,
        coalesce(v[at['lineitem']], JSONExtractString(said, 'line_item')) AS item,
        coalesce(v[at['model']], nullIf(JSONExtractString(said, 'model'), ''), extract(item, '^(.*), ')) AS model,
        coalesce(v[at['tokentype']], JSONExtractString(said, 'token_type')) AS kind,
        if(JSONType(said, 'amount') = 'String', JSONExtractString(said, 'amount'), '') AS cents,
        multiIf(
            said = '', coalesce(v[at['amountvalue']], v[at['costusd']]),
            isNotNull(toDecimal256OrNull(cents, 48)), toString(toDecimal256OrZero(cents, 48) / 100),
            anthropic, cents,
            nullIf(trim(BOTH '"' FROM JSONExtractRaw(said, 'amount', 'value')), '')
        ) AS amount,
        coalesce(v[at['starttime']], nullIf(JSONExtractRaw(bucket, 'start_time'), '')) AS starts,
        coalesce(v[at['endtime']], nullIf(JSONExtractRaw(bucket, 'end_time'), '')) AS ends,
        multiIf(
            match(ifNull(starts, ''), '^\\d{9,10}$'), toString(toDateTime(toUInt32OrZero(starts), 'UTC')),
            coalesce(v[at['starttimeiso']], starts, v[at['usagedateutc']], v[at['startingat']], JSONExtractString(bucket, 'starting_at'))
        ) AS since,
        multiIf(
            match(ifNull(ends, ''), '^\\d{9,10}$'), toString(toDateTime(toUInt32OrZero(ends), 'UTC')),
            coalesce(v[at['endtimeiso']], ends, v[at['endingat']], JSONExtractString(bucket, 'ending_at'))
        ) AS until
    FROM (
        SELECT
            *,
            mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at,
            arrayJoin(multiIf(
                isNotNull(v[at['results']]), arrayMap(r -> ('{}', r), JSONExtractArrayRaw(assumeNotNull(v[at['results']]))),
                isNull(v[at['data']]), [('', '')],
                arrayFlatten(arrayMap(
                    b -> arrayMap(r -> (b, r), JSONExtractArrayRaw(b, 'results')), JSONExtractArrayRaw(assumeNotNull(v[at['data']]))
                ))
            )) AS part
        FROM file_rows
    )
)
-- A day without costs tells no amount and no currency; a result that tells either is a charge.
WHERE isNotNull(amount) OR isNotNull(v[at['amountcurrency']]) OR isNotNull(v[at['usagedateutc']])
