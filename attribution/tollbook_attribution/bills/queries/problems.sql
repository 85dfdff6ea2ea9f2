-- Which lines of an import cannot be taken, and why? The first of them by file and line.
-- A column is named as FOCUS names it, and `first` is a row: whoever tells them to people knows what the file calls the one, and on which line the other stands.
WITH
['BilledCost', 'EffectiveCost', 'ListCost', 'ContractedCost', 'ListUnitPrice', 'ContractedUnitPrice', 'PricingQuantity', 'ConsumedQuantity'] AS number_names,
['BillingPeriodStart', 'BillingPeriodEnd', 'ChargePeriodStart', 'ChargePeriodEnd'] AS time_names
SELECT file, line, first, found.1 AS column, found.2 AS value, found.3 AS problem
FROM (
    SELECT file, line, toUInt64(0) AS first, arrayJoin(if(
        times[3] = '' AND billing_currency = '',
        [('BilledCost', numbers[1], 'stands on a line without a time and a currency, as a total does: take the line out of the file')],
        arrayConcat(arrayFilter(p -> p.3 != '', arrayMap(
            (name, text, plain) -> (name, text, multiIf(
                text = '' AND name = 'BilledCost', 'is empty',
                text = '', '',
                NOT match(plain, '^[+-]?(\\d+(\\.\\d*)?|\\.\\d+)([eE][+-]?\\d{1,3})?$'),
                if(match(text, '^[^A-Za-z]*\\d,\\d'), 'is not a number with a decimal point; for decimal commas import with --decimal comma', 'is not a number'),
                isNull(toDecimal256OrNull(plain, 50)), 'has more than 26 digits before the point',
                length(extract(plain, '\\.(\\d*)')) - toInt32OrZero(replaceAll(extract(plain, '[eE]([+-]?\\d+)'), '+', '')) > 50,
                'has more than 50 digits after the point',
                ''
            )),
            number_names, numbers, plain_numbers
        )),
        arrayFilter(p -> p.3 != '', arrayMap(
            (name, text, time) -> (name, text, multiIf(
                match(text, '^\\d{4}-\\d{2}-\\d{2}[T ](2[5-9]|[3-9]\\d|24:(0[1-9]|[1-5]))'), 'is not a time', isNotNull(time), '', text = '', 'is empty', 'is not a time'
            )), time_names, times, moments
        )),
        if(billing_currency = '', [('BillingCurrency', '', 'is empty')], []),
        if(billing_currency != '' AND NOT match(billing_currency, '^[A-Za-z]{3}$'), [('BillingCurrency', billing_currency, 'is not a currency of three letters')], []),
        if(provider_name = '', [('ServiceProviderName', '', 'is empty')], []),
        if(
            charge_category NOT IN ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment'),
            [('ChargeCategory', charge_category, 'is none of Usage, Purchase, Tax, Credit, Adjustment')], []
        ),
        if(moments[2] <= moments[1], [('BillingPeriodEnd', times[2], concat('is not after the start of the billing period, ', times[1]))], []),
        if(moments[4] < moments[3], [('ChargePeriodEnd', times[4], concat('is before the start of the charge, ', times[3]))], []),
        if(
            {late_usage:Bool} = false AND NOT match(lower(provider_name), '^\\s*(google|gcp)\\b')
                AND charge_category = 'Usage' AND charge_class != 'Correction' AND (moments[3] >= moments[2] OR moments[4] < moments[1])
                -- Usage of less than nothing of an earlier month is taken back, whatever its class says.
                AND NOT (startsWith(plain_numbers[1], '-') AND moments[4] <= moments[1]),
            [('ChargePeriodStart', times[3], concat('is outside of the billing period from ', times[1], ' to ', times[2]))], []
        ),
        if(
            -- By its middle, as some periods begin by a clock of their own: at 07:00 or on the evening before in UTC.
            {period:String} != '' AND formatDateTime(addSeconds(moments[1], intDiv(dateDiff('second', moments[1], moments[2]), 2)), '%Y-%m') != {period:String},
            [('BillingPeriodStart', times[1], concat('is not of the billing period ', {period:String}))], []
        )
    ))) AS found
    FROM bill_texts_read
    WHERE import_id = {import_id:UInt64} AND file = {file:UInt32}
    UNION ALL
    SELECT
        file,
        line,
        first,
        ('', '', 'is line {first} again, to the last character; if both were charged, import with --allow-duplicates') AS found
    FROM (
        SELECT file, line, digest, numbers, min(line) OVER (PARTITION BY digest) AS first
        FROM bill_texts
        WHERE import_id = {import_id:UInt64} AND file = {file:UInt32} AND {duplicates:Bool} = false
            AND digest IN (
                SELECT digest FROM bill_texts WHERE import_id = {import_id:UInt64} AND file = {file:UInt32} GROUP BY digest HAVING count() > 1
            )
    )
    WHERE line != first AND arrayExists(n -> match(n, '[1-9]'), arraySlice(numbers, 1, 2))
)
ORDER BY file, line, column
LIMIT {limit:UInt32}
