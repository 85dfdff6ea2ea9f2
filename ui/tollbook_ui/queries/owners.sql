-- What did each owner cost, most first? Rows add up to the period's total; money that names no owner has rows of its own.
-- A thousand have rows of their own; all others are told as one, whose name says how many they are.
WITH
    owned AS (
        SELECT
            if(has({by:Array(String)}, 'team'), toNullable(ledger.team), NULL) AS team,
            if(has({by:Array(String)}, 'project'), toNullable(ledger.project), NULL) AS project,
            if(has({by:Array(String)}, 'feature'), toNullable(ledger.feature), NULL) AS feature,
            if(has({by:Array(String)}, 'customer'), toNullable(ledger.customer), NULL) AS customer,
            if(has({by:Array(String)}, 'environment'), toNullable(ledger.environment), NULL) AS environment,
            if(has({by:Array(String)}, 'workflow'), toNullable(ledger.workflow), NULL) AS workflow,
            if(has({by:Array(String)}, 'tenant'), toNullable(ledger.tenant), NULL) AS tenant,
            toString(ledger.allocation) AS allocation,
            uniqExactIf((ledger.tenant, ledger.trace_id), ledger.trace_id != toFixedString('', 16)) AS requests,
            sum(ledger.amount_usd) AS amount_usd,
            sumIf(ledger.amount_usd, ledger.simulated) AS simulated_usd
        FROM ledger
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            AND ledger.service_name = ifNull({service:Nullable(String)}, ledger.service_name)
            AND ledger.workflow = ifNull({workflow:Nullable(String)}, ledger.workflow)
            AND ledger.team = ifNull({team:Nullable(String)}, ledger.team)
            AND ledger.project = ifNull({project:Nullable(String)}, ledger.project)
            AND ledger.feature = ifNull({feature:Nullable(String)}, ledger.feature)
            AND ledger.customer = ifNull({customer:Nullable(String)}, ledger.customer)
            AND ledger.environment = ifNull({environment:Nullable(String)}, ledger.environment)
        GROUP BY team, project, feature, customer, environment, workflow, tenant, allocation
    ),

    placed AS (
        SELECT
            *,
            row_number() OVER (
                ORDER BY amount_usd DESC, team, project, feature, customer, environment, workflow, tenant, allocation
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
    sum(p.simulated_usd) AS simulated_usd
FROM placed AS p
GROUP BY team, project, feature, customer, environment, workflow, tenant, allocation, p.named
ORDER BY p.named DESC, amount_usd DESC, team, project, feature, customer, environment, workflow, tenant, allocation
