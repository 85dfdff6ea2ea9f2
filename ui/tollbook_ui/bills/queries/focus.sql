-- What was attributed to whom, as FOCUS 1.4 tells it? A charge for each day, resource, and who it was allocated to; the rows add up to the ledger.
-- A row of a request, of idle or of shared cost is an allocated charge: part of what its resource cost that day, its ratios sum to 1.
SELECT
    if(allocation = 'unattributed', NULL, concat('{"Elements":[{"AllocatedRatio":', toString(ratio), if(unit = '' OR quantity = 0, '', concat(
        ',"UsageUnit":', toJSONString(unit), ',"UsageQuantity":', toString(quantity)
    )), '}]}')) AS AllocatedMethodDetails,
    if(allocation = 'unattributed', NULL, concat('tollbook/', category, '/', allocation)) AS AllocatedMethodId,
    if(allocation = 'unattributed', NULL, concat(allocation, '/', if(workload = '', 'unknown', workload))) AS AllocatedResourceId,
    if(allocation = 'unattributed', NULL, if(workload = '', 'unknown', workload)) AS AllocatedResourceName,
    if(allocation = 'unattributed', NULL, toJSONString(mapFilter((k, v) -> v != '', map(
        'service', service_name, 'workflow', workflow, 'team', team, 'project', project, 'feature', feature, 'environment', environment
    )))) AS AllocatedTags,
    cost AS BilledCost,
    if(account = '', 'unknown', account) AS BillingAccountId,
    CAST(NULL AS Nullable(String)) AS BillingAccountName,
    currency AS BillingCurrency,
    concat(toString(addMonths(period, 1)), 'T00:00:00Z') AS BillingPeriodEnd,
    concat(toString(period), 'T00:00:00Z') AS BillingPeriodStart,
    charge_category AS ChargeCategory,
    if(is_correction, 'Correction', NULL) AS ChargeClass,
    concat(allocation, ': ', item, if(method = '', '', concat(', ', method))) AS ChargeDescription,
    if(ChargeCategory = 'Usage', 'Usage-Based', 'One-Time') AS ChargeFrequency,
    concat(toString(addDays(day, 1)), 'T00:00:00Z') AS ChargePeriodEnd,
    concat(toString(day), 'T00:00:00Z') AS ChargePeriodStart,
    if(unit = '' OR ChargeCategory != 'Usage', NULL, quantity) AS ConsumedQuantity,
    if(unit = '' OR ChargeCategory != 'Usage', NULL, unit) AS ConsumedUnit,
    cost AS ContractedCost,
    cost AS EffectiveCost,
    CAST(NULL AS Nullable(String)) AS HostProviderName,
    provider_name AS InvoiceIssuerName,
    cost AS ListCost,
    CAST(NULL AS Nullable(Decimal(38, 9))) AS PricingQuantity,
    CAST(NULL AS Nullable(String)) AS PricingUnit,
    if(region = '', NULL, region) AS RegionId,
    if(region = '', NULL, region) AS RegionName,
    if(resource = '', NULL, resource) AS ResourceId,
    CAST(NULL AS Nullable(String)) AS ResourceName,
    if(resource = '', NULL, category) AS ResourceType,
    multiIf(
        category = 'tokens', 'AI and Machine Learning', category IN ('compute', 'accelerator'), 'Compute', category = 'storage', 'Storage',
        category = 'transfer', 'Networking', 'Other'
    ) AS ServiceCategory,
    multiIf(service != '', service, category = 'tokens', 'model calls', category) AS ServiceName,
    provider_name AS ServiceProviderName,
    multiIf(
        category = 'tokens', 'Generative AI', category IN ('compute', 'accelerator'), 'Virtual Machines', category = 'storage', 'Other (Storage)',
        category = 'transfer', 'Other (Networking)', 'Other (Other)'
    ) AS ServiceSubcategory,
    if(account = '', NULL, account) AS SubAccountId,
    CAST(NULL AS Nullable(String)) AS SubAccountName,
    CAST(NULL AS Nullable(String)) AS Tags,
    allocation AS x_Allocation,
    basis AS x_Basis,
    item AS x_Item,
    model AS x_Model,
    simulated AS x_Simulated,
    waste AS x_Waste
FROM (
    -- Ratios have twelve digits: each is what they come to up to its row, less what they come to up to the row before.
    SELECT
        *,
        toDecimal128(toDecimal256(if(
            whole = 0,
            intDiv(place * toInt256(1000000000000), parts) - intDiv((place - 1) * toInt256(1000000000000), parts),
            intDiv(upto * 1000000000000, whole) - intDiv((upto - weight) * 1000000000000, whole)
        ), 12) / toInt64(1000000000000), 12) AS ratio
    FROM (
        SELECT
            *,
            toInt256(toDecimal256(cost, 18) * toInt256('1000000000000000000')) AS weight,
            sum(weight) OVER origin AS whole,
            count() OVER origin AS parts,
            sum(weight) OVER (origin ORDER BY allocation, item, unit, workload, team, project, feature, environment, service_name, model, waste, basis, method, simulated
                ROWS UNBOUNDED PRECEDING) AS upto,
            row_number() OVER (origin ORDER BY allocation, item, unit, workload, team, project, feature, environment, service_name, model, waste, basis, method, simulated)
                AS place
        FROM (
            SELECT
                toDate(window) AS day,
                if(basis = 'invoice', toDate(price_version), toStartOfMonth(window)) AS period,
                toString(allocation) AS allocation,
                toString(category) AS category,
                item, resource, l.provider AS provider, account, unit, currency, toString(basis) AS basis, method, waste, model, region, simulated,
                if(l.provider = '', 'unknown', l.provider) AS provider_name,
                if(basis = 'invoice', substring(price_id, length(concat('bill/', l.provider, '/', price_version, '/', account, '/')) + 1), '') AS service,
                service_name, workflow, team, project, feature, environment,
                if(workflow != '', workflow, service_name) AS workload,
                -- How a billed line is told: `billed as credit in correction, split by the estimate`.
                if(basis = 'invoice' AND match(method, '^billed as '), initcap(extract(method, '^billed as ([a-z]+)')), 'Usage') AS charge_category,
                basis = 'invoice' AND match(method, '^billed[^,]* in correction') AS is_correction,
                sum(l.amount) AS cost,
                sum(l.quantity) AS quantity
            FROM ledger AS l
            WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            GROUP BY
                day, period, allocation, category, item, resource, provider, account, unit, currency, basis, method, waste, model, region, simulated, service,
                service_name, workflow, team, project, feature, environment
        )
        WINDOW origin AS (PARTITION BY day, period, category, resource, provider, account, service, currency, charge_category, is_correction, allocation = 'unattributed')
    )
)
ORDER BY day, ServiceProviderName, ServiceName, ResourceId, AllocatedResourceId, ChargeDescription
