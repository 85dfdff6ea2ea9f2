-- What did each owner cost, most first? Rows add up to the period's total; money that names no owner has rows of its own.
-- An owner whose calls have no price, and nothing else, has no amount.
-- A thousand have rows of their own; all others are told as one, whose name says how many they are.
WITH
    owned AS (
        SELECT
            if(has({by:Array(String)}, 'team'), toNullable(l.team), NULL) AS team,
            if(has({by:Array(String)}, 'project'), toNullable(l.project), NULL) AS project,
            if(has({by:Array(String)}, 'feature'), toNullable(l.feature), NULL) AS feature,
            if(has({by:Array(String)}, 'customer'), toNullable(l.customer), NULL) AS customer,
            if(has({by:Array(String)}, 'environment'), toNullable(l.environment), NULL) AS environment,
            if(has({by:Array(String)}, 'workflow'), toNullable(l.workflow), NULL) AS workflow,
            if(has({by:Array(String)}, 'tenant'), toNullable(l.tenant), NULL) AS tenant,
            l.allocation AS allocation,
            uniqExactIf((l.tenant, l.trace_id), l.trace_id != toFixedString('', 16)) AS requests,
            if(countIf(NOT l.unpriced) = 0, NULL, sum(l.amount_usd)) AS amount_usd,
            sumIf(l.amount_usd, l.simulated) AS simulated_usd,
            countIf(l.unpriced) AS unpriced_calls
        FROM (
            SELECT
                tenant, trace_id, team, project, feature, customer, environment, workflow,
                toString(ledger.allocation) AS allocation, ledger.amount_usd, ledger.simulated,
                false AS unpriced
            FROM ledger
            WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
                AND service_name = ifNull({service:Nullable(String)}, service_name)
                AND workflow = ifNull({workflow:Nullable(String)}, workflow)
                AND team = ifNull({team:Nullable(String)}, team)
                AND project = ifNull({project:Nullable(String)}, project)
                AND feature = ifNull({feature:Nullable(String)}, feature)
                AND customer = ifNull({customer:Nullable(String)}, customer)
                AND environment = ifNull({environment:Nullable(String)}, environment)
            UNION ALL
            SELECT
                tenant, trace_id, team, project, feature, customer, environment, workflow,
                'request' AS allocation,
                toDecimal128(0, 18) AS amount_usd,
                false AS simulated,
                true AS unpriced
            FROM calls
            WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
                AND role = 'counted' AND price_status = 'unpriced'
                AND service_name = ifNull({service:Nullable(String)}, service_name)
                AND workflow = ifNull({workflow:Nullable(String)}, workflow)
                AND team = ifNull({team:Nullable(String)}, team)
                AND project = ifNull({project:Nullable(String)}, project)
                AND feature = ifNull({feature:Nullable(String)}, feature)
                AND customer = ifNull({customer:Nullable(String)}, customer)
                AND environment = ifNull({environment:Nullable(String)}, environment)
        ) AS l
        GROUP BY team, project, feature, customer, environment, workflow, tenant, allocation
    ),

    placed AS (
        SELECT
            *,
            row_number() OVER (
                ORDER BY amount_usd DESC NULLS LAST, team, project, feature, customer, environment, workflow, tenant, allocation
            ) <= 1000 AS named,
            concat('and ', toString(count() OVER () - 1000), ' more') AS others
        FROM owned
    )
SELECT
    if(p.named OR isNull(p.team), p.team, p.others) AS team,
    if(p.named OR isNull(p.project), p.project, p.others) AS project,
    if(p.named OR isNull(p.feature), p.feature, p.others) AS feature,
    if(p.named OR isNull(p.customer), p.customer, p.others) AS customer,
    if(p.named OR isNull(p.environment), p.environment, p.others) AS environment,
    if(p.named OR isNull(p.workflow), p.workflow, p.others) AS workflow,
    if(p.named OR isNull(p.tenant), p.tenant, p.others) AS tenant,
    p.allocation AS allocation,
    sum(p.requests) AS requests,
    sum(p.amount_usd) AS amount_usd,
    sum(p.simulated_usd) AS simulated_usd,
    sum(p.unpriced_calls) AS unpriced_calls
FROM placed AS p
GROUP BY team, project, feature, customer, environment, workflow, tenant, allocation, p.named
ORDER BY p.named DESC, amount_usd DESC NULLS LAST, team, project, feature, customer, environment, workflow, tenant, allocation
