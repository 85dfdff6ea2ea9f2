-- What does a staged file tell of each model? Where a row has the provider's own object of counts, its usual names are read.
WITH
    (body, names) -> arrayFirst(n -> isNotNull(n), arrayConcat(arrayMap(name -> JSONExtract(body, name, 'Nullable(Int64)'), names), [CAST(NULL, 'Nullable(Int64)')])) AS of_body,
    target -> toInt64OrNull(fields[target]) AS counted
SELECT
    fields['provider'] AS provider,
    fields['model'] AS model,
    count() AS row_count,
    sum(coalesce(
        counted('input_tokens'),
        counted('uncached_input_tokens') + ifNull(counted('cache_read_tokens'), 0) + ifNull(counted('cache_write_tokens'), 0) + ifNull(counted('cache_write_1h_tokens'), 0),
        of_body(fields['usage'], ['prompt_tokens', 'input_tokens', 'promptTokenCount', 'inputTokens', 'input'])
            + ifNull(of_body(fields['usage'], ['cache_read_input_tokens', 'cacheReadInputTokens']), 0)
            + ifNull(of_body(fields['usage'], ['cache_creation_input_tokens', 'cacheWriteInputTokens']), 0)
    )) AS input_tokens,
    sum(coalesce(
        counted('output_tokens'),
        counted('visible_output_tokens') + ifNull(counted('reasoning_tokens'), 0),
        of_body(fields['usage'], ['completion_tokens', 'output_tokens', 'outputTokens', 'output']),
        of_body(fields['usage'], ['candidatesTokenCount']) + ifNull(of_body(fields['usage'], ['thoughtsTokenCount']), 0)
    )) AS output_tokens,
    sum(toDecimal256OrNull(replaceOne(fields['cost'], '$', ''), 18)) AS cost,
    countIf(fields['cost'] != '') = row_count AS told,
    fromUnixTimestamp64Nano(ifNull(min(start_ns), 0), 'UTC') AS first_call,
    fromUnixTimestamp64Nano(ifNull(max(start_ns), 0), 'UTC') AS last_call
FROM usage_rows
WHERE import_id = {import_id:UInt64}
GROUP BY provider, model
ORDER BY row_count DESC, provider, model
LIMIT {limit:UInt32}
