-- How much of the period is priced, rated, of known age and owned?
-- A local call needs no price; a machine is rated where its type has an hourly rate.
WITH
    called AS (
        SELECT
            countIf(price_status != 'local') AS calls,
            countIf(price_status = 'priced') AS calls_priced,
            toUInt64(sumIf(used, price_status != 'local')) AS tokens,
            toUInt64(sumIf(used, price_status = 'priced')) AS tokens_priced,
            count() AS inferences,
            count(age_ns) AS inferences_with_age
        FROM (
            SELECT
                tenant, trace_id, span_id, price_status,
                toInt128(ifNull(input_tokens, 0)) + ifNull(cache_read_tokens, 0) + ifNull(cache_write_tokens, 0) + ifNull(output_tokens, 0)
                + ifNull(reasoning_tokens, 0) AS used
            FROM calls
            WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
                AND role = 'counted'
                AND service_name = ifNull({service:Nullable(String)}, service_name)
                AND workflow = ifNull({workflow:Nullable(String)}, workflow)
                AND team = ifNull({team:Nullable(String)}, team)
                AND project = ifNull({project:Nullable(String)}, project)
                AND feature = ifNull({feature:Nullable(String)}, feature)
                AND customer = ifNull({customer:Nullable(String)}, customer)
                AND environment = ifNull({environment:Nullable(String)}, environment)
        ) AS inference
        LEFT JOIN (
            SELECT tenant, trace_id, inference_span_id AS span_id, maxOrNull(age_ns) AS age_ns
            FROM lineage
            WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            GROUP BY tenant, trace_id, span_id
        ) AS input USING (tenant, trace_id, span_id)
    ),

    owned AS (
        SELECT
            uniqExact(tenant, trace_id) AS requests,
            uniqExactIf((tenant, trace_id), concat(team, project, feature, customer) != '') AS requests_owned
        FROM requests
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
            AND service_name = ifNull({service:Nullable(String)}, service_name)
            AND workflow = ifNull({workflow:Nullable(String)}, workflow)
            AND team = ifNull({team:Nullable(String)}, team)
            AND project = ifNull({project:Nullable(String)}, project)
            AND feature = ifNull({feature:Nullable(String)}, feature)
            AND customer = ifNull({customer:Nullable(String)}, customer)
            AND environment = ifNull({environment:Nullable(String)}, environment)
    ),

    rated AS (
        SELECT
            uniqExact(host) AS hosts,
            uniqExactIf(host, amount_usd IS NOT NULL) AS hosts_rated
        FROM hosts
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')}
    )
SELECT
    calls,
    calls_priced,
    if(calls = 0, NULL, calls_priced / calls) AS calls_priced_ratio,
    tokens,
    tokens_priced,
    if(tokens = 0, NULL, tokens_priced / tokens) AS tokens_priced_ratio,
    hosts,
    hosts_rated,
    if(hosts = 0, NULL, hosts_rated / hosts) AS hosts_rated_ratio,
    inferences,
    inferences_with_age,
    if(inferences = 0, NULL, inferences_with_age / inferences) AS inferences_with_age_ratio,
    requests,
    requests_owned,
    if(requests = 0, NULL, requests_owned / requests) AS requests_owned_ratio
FROM called, owned, rated
