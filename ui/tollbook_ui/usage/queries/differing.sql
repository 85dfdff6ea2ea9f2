-- How many rows of a piece of a staged file say otherwise than what another import told of the same request? What was told first stays.
WITH
    target -> toInt64OrNull(fields[target]) AS counted,
    (target, known) -> fields[target] != '' AND ifNull(counted(target) != known, true) AS differs
SELECT uniqExact(row) AS rows
FROM (
    SELECT row, fields, concat(fields['provider'], ' ', fields['request_id']) AS request
    FROM usage_rows
    WHERE import_id = {import_id:UInt64} AND fields['request_id'] != '' AND bucket BETWEEN {first_bucket:UInt16} AND {last_bucket:UInt16}
) AS told
INNER JOIN (
    SELECT
        concat(provider_name, ' ', response_id) AS request, request_model, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
        toDecimal256OrNull(attributes['gen_ai.usage.cost.amount'], 18) AS cost
    FROM spans
    WHERE tenant = {tenant:String} AND scope_name = {scope:String} AND response_id != ''
        AND attributes['tollbook.usage.import'] != toString({import_id:UInt64})
        AND response_id GLOBAL IN (
            SELECT fields['request_id'] FROM usage_rows
            WHERE import_id = {import_id:UInt64} AND bucket BETWEEN {first_bucket:UInt16} AND {last_bucket:UInt16}
        )
) AS stored ON told.request = stored.request
WHERE differs('input_tokens', input_tokens)
    OR differs('uncached_input_tokens', input_tokens - ifNull(cache_read_tokens, 0) - ifNull(cache_write_tokens, 0))
    OR differs('output_tokens', output_tokens)
    OR differs('cache_read_tokens', cache_read_tokens)
    OR (fields['model'] != '' AND fields['model'] != request_model)
    OR (fields['cost'] != '' AND ifNull(toDecimal256OrNull(replaceOne(fields['cost'], '$', ''), 18) != cost, true))
