-- What does a Cost and Usage Report of AWS say? `lineItem/UnblendedCost` (first version) and `line_item_unblended_cost` (second, Athena) alike.
-- The second version has maps of products, which CSV writes as JSON.
-- Where no billing period is named at all, it is the calendar month that a charge begins in, as all of AWS's are.
-- Billed is the unblended cost: it sums to the invoice, discounts being lines of their own. Effective spreads commitments over what they cover.
INSERT INTO bill_texts
WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
SELECT
    {import_id:UInt64} AS import_id,
    {file:UInt32} AS file,
    line,
    {comma:Bool} AS comma,
    reinterpretAsFixedString(sipHash128(v)) AS digest,
    arrayMap(x -> ifNull(x, ''), [
        v[at['lineitemunblendedcost']],
        multiIf(
            kind = 'DiscountedUsage', coalesce(v[at['reservationeffectivecost']], v[at['lineitemunblendedcost']]),
            kind = 'SavingsPlanCoveredUsage', coalesce(v[at['savingsplansavingsplaneffectivecost']], v[at['lineitemunblendedcost']]),
            kind IN ('SavingsPlanNegation', 'SavingsPlanUpfrontFee'), '0',
            kind = 'SavingsPlanRecurringFee' AND isNotNull(v[at['savingsplantotalcommitmenttodate']]) AND isNotNull(v[at['savingsplanusedcommitment']]),
            toString(toDecimal256OrZero(v[at['savingsplantotalcommitmenttodate']], 50) - toDecimal256OrZero(v[at['savingsplanusedcommitment']], 50)),
            kind = 'RIFee' AND isNotNull(v[at['reservationunusedrecurringfee']]),
            toString(
                toDecimal256OrZero(v[at['reservationunusedrecurringfee']], 50)
                + toDecimal256OrZero(ifNull(v[at['reservationunusedamortizedupfrontfeeforbillingperiod']], '0'), 50)
            ),
            kind = 'Fee' AND isNotNull(v[at['reservationreservationarn']]), '0',
            v[at['lineitemunblendedcost']]
        ),
        v[at['pricingpublicondemandcost']],
        NULL,
        v[at['pricingpublicondemandrate']],
        v[at['lineitemunblendedrate']],
        v[at['lineitemusageamount']],
        v[at['lineitemusageamount']]
    ]) AS numbers,
    arrayMap(x -> ifNull(x, ''), [
        if(dated, v[at['billbillingperiodstartdate']], toString(toStartOfMonth(begins))), if(dated, v[at['billbillingperiodenddate']], toString(addMonths(toStartOfMonth(begins), 1))),
        coalesce(v[at['lineitemusagestartdate']], v[at['billbillingperiodstartdate']]),
        coalesce(v[at['lineitemusageenddate']], v[at['lineitemusagestartdate']], v[at['billbillingperiodenddate']])
    ]) AS times,
    'AWS' AS provider_name,
    coalesce(v[at['lineitemlegalentity']], '') AS publisher_name,
    coalesce(v[at['billinvoicingentity']], '') AS invoice_issuer_name,
    ifNull(v[at['billinvoiceid']], '') AS invoice_id,
    ifNull(v[at['billpayeraccountid']], '') AS billing_account_id,
    ifNull(v[at['billpayeraccountname']], '') AS billing_account_name,
    ifNull(v[at['lineitemusageaccountid']], '') AS sub_account_id,
    ifNull(v[at['lineitemusageaccountname']], '') AS sub_account_name,
    multiIf(
        kind IN ('Usage', 'DiscountedUsage', 'SavingsPlanCoveredUsage', ''), 'Usage',
        kind = 'Tax', 'Tax',
        kind IN ('Fee', 'RIFee', 'SavingsPlanRecurringFee', 'SavingsPlanUpfrontFee'), 'Purchase',
        kind = 'Credit', 'Credit',
        'Adjustment'
    ) AS charge_category,
    if(kind = 'Refund', 'Correction', '') AS charge_class,
    multiIf(kind IN ('RIFee', 'SavingsPlanRecurringFee'), 'Recurring', kind IN ('Fee', 'SavingsPlanUpfrontFee'), 'One-Time', 'Usage-Based') AS charge_frequency,
    ifNull(v[at['lineitemlineitemdescription']], '') AS charge_description,
    ifNull(v[at['lineitemlineitemtype']], '') AS line_type,
    ifNull(v[at['productproductfamily']], '') AS service_category,
    '' AS service_subcategory,
    coalesce(
        v[at['productservicename']], v[at['productproductname']], nullIf(JSONExtractString(product, 'product_name'), ''),
        nullIf(JSONExtractString(product, 'servicename'), ''), v[at['lineitemproductcode']], ''
    ) AS service_name,
    coalesce(v[at['productregioncode']], v[at['productregion']], JSONExtractString(product, 'region')) AS region,
    ifNull(v[at['lineitemavailabilityzone']], '') AS availability_zone,
    ifNull(v[at['lineitemresourceid']], '') AS resource_id,
    '' AS resource_name,
    coalesce(v[at['productinstancetype']], JSONExtractString(product, 'instance_type')) AS resource_type,
    ifNull(v[at['productsku']], '') AS sku_id,
    coalesce(v[at['pricingratecode']], '') AS sku_price_id,
    ifNull(v[at['lineitemusagetype']], '') AS sku_meter,
    ifNull(v[at['pricingterm']], '') AS pricing_category,
    ifNull(v[at['pricingunit']], '') AS pricing_unit,
    ifNull(v[at['pricingunit']], '') AS consumed_unit,
    ifNull(v[at['lineitemcurrencycode']], '') AS billing_currency,
    coalesce(v[at['reservationreservationarn']], v[at['savingsplansavingsplanarn']], '') AS commitment_id,
    '' AS commitment_name,
    multiIf(isNotNull(v[at['reservationreservationarn']]), 'Reserved', isNotNull(v[at['savingsplansavingsplanarn']]), 'Savings Plan', '') AS commitment_type,
    multiIf(isNotNull(v[at['reservationreservationarn']]), 'Usage', isNotNull(v[at['savingsplansavingsplanarn']]), 'Spend', '') AS commitment_category,
    multiIf(kind IN ('DiscountedUsage', 'SavingsPlanCoveredUsage'), 'Used', kind IN ('RIFee', 'SavingsPlanRecurringFee'), 'Unused', '') AS commitment_status,
    mapUpdate(
        JSONExtract(coalesce(v[at['resourcetags']], v[at['tags']], '{}'), 'Map(String, String)'),
        mapFilter((k, x) -> x != '', mapFromArrays({tag_names:Array(String)}, arrayMap(i -> ifNull(v[i], ''), {tag_at:Array(UInt32)})))
    ) AS tags
FROM (
    WITH mapFromArrays({columns:Array(String)}, {places:Array(UInt32)}) AS at
    SELECT
        line,
        v,
        ifNull(v[at['lineitemlineitemtype']], '') AS kind,
        ifNull(v[at['product']], '{}') AS product,
        at['billbillingperiodstartdate'] <= length(v) AS dated,
        parseDateTimeBestEffortOrNull(ifNull(v[at['lineitemusagestartdate']], ''), 'UTC') AS begins
    FROM file_rows
)
