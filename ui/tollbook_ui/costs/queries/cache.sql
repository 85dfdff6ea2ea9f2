-- How much input did each workload and model read from caches, write to them and pay in full, dearest first?
-- Written and unread: what an hour writes beyond what is read in it and in the hour after it, which may lie beyond the period; no cache keeps
-- for longer what nobody reads, so at least so much was never read.
SELECT
    workflow,
    provider,
    model,
    kind,
    sum(h.input) AS input_tokens,
    sum(h.input_usd) AS input_usd,
    sum(h.read) AS read_tokens,
    sum(h.read_usd) AS read_usd,
    sum(h.written) AS written_tokens,
    sum(h.written_usd) AS written_usd,
    sum(greatest(h.written - h.read - h.read_next, 0)) AS unread_tokens
FROM (
    SELECT
        *,
        sum(read) OVER (
            PARTITION BY workflow, provider, model, kind ORDER BY toUnixTimestamp(window) RANGE BETWEEN 3600 FOLLOWING AND 3600 FOLLOWING
        ) AS read_next
    FROM (
        SELECT
            window,
            toString(workflow) AS workflow,
            toString(provider) AS provider,
            toString(model) AS model,
            replaceRegexpOne(item, '^(input|cache_read|cache_write_1h|cache_write)_?', '') AS kind,
            sumIf(quantity, startsWith(item, 'input')) AS input,
            sumIf(amount_usd, startsWith(item, 'input')) AS input_usd,
            sumIf(quantity, startsWith(item, 'cache_read')) AS read,
            sumIf(amount_usd, startsWith(item, 'cache_read')) AS read_usd,
            sumIf(quantity, startsWith(item, 'cache_write')) AS written,
            sumIf(amount_usd, startsWith(item, 'cache_write')) AS written_usd
        FROM ledger
        WHERE window >= {since:DateTime('UTC')} AND window < {until:DateTime('UTC')} + INTERVAL 1 HOUR
            AND category = 'tokens' AND (startsWith(item, 'input') OR startsWith(item, 'cache_'))
            AND service_name = ifNull({service:Nullable(String)}, service_name)
            AND ledger.workflow = ifNull({workflow:Nullable(String)}, ledger.workflow)
            AND team = ifNull({team:Nullable(String)}, team)
            AND project = ifNull({project:Nullable(String)}, project)
            AND feature = ifNull({feature:Nullable(String)}, feature)
            AND customer = ifNull({customer:Nullable(String)}, customer)
            AND environment = ifNull({environment:Nullable(String)}, environment)
        GROUP BY window, workflow, provider, model, kind
    )
) AS h
WHERE window < {until:DateTime('UTC')}
GROUP BY workflow, provider, model, kind
ORDER BY sum(h.input_usd) + sum(h.read_usd) + sum(h.written_usd) DESC, workflow, provider, model, kind
