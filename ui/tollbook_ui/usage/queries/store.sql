-- Which calls does a staged file tell of that are not known yet? They become spans, one for each.
-- The id of a call follows from what is known of it: from the provider's id of the request where there is one, else from everything the row
-- says and from how often rows before it said the same. So a row that another file has too is the same call. One piece of the rows at a time:
-- those that may be the same call are in one.
INSERT INTO spans_in (
    tenant, trace_id, span_id, name, kind, start_time, duration_ns, status_code, scope_name, attributes, received_at,
    operation_name, provider_name, request_model, response_model, response_id, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
    reasoning_tokens, service_tier, service_name, service_version, cloud_region, cloud_account_id, team, project, feature, customer, environment,
    workflow, user_id, session_id
)
WITH
    target -> toInt64OrNull(fields[target]) AS counted,
    text -> toDecimal256OrNull(replaceOne(text, '$', ''), 18) AS number,
    -- 0.10 in a spreadsheet is 0.1 in JSON.
    pair -> if(
        pair.1 IN ('cost', 'cost_cents', 'duration_ms', 'duration_s'), (pair.1, ifNull(toString(number(pair.2)), pair.2)), pair
    ) AS alike,
    if(fields['operation'] != '', fields['operation'], 'chat') AS operation,
    counted('cache_read_tokens') AS cache_read_tokens,
    counted('cache_write_1h_tokens') AS cache_write_1h_tokens,
    if(isNull(cache_write_1h_tokens), counted('cache_write_tokens'), ifNull(counted('cache_write_tokens'), 0) + cache_write_1h_tokens) AS cache_write_tokens,
    if(
        fields['uncached_input_tokens'] != '',
        counted('uncached_input_tokens') + ifNull(cache_read_tokens, 0) + ifNull(cache_write_tokens, 0),
        counted('input_tokens')
    ) AS input_tokens,
    if(fields['visible_output_tokens'] != '', counted('visible_output_tokens') + ifNull(counted('reasoning_tokens'), 0), counted('output_tokens')) AS output_tokens,
    told AS (
        SELECT
            row, fields, start_ns, end_ns,
            SHA256(concat(saying, ' ', toString(if(fields['request_id'] != '', 1, row_number() OVER (PARTITION BY saying ORDER BY row))))) AS identity
        FROM (
            SELECT
                *,
                hex(SHA256(multiIf(
                    fields['#call'] != '', fields['#call'],
                    fields['request_id'] != '', concat('request ', fields['provider'], ' ', fields['request_id']),
                    toString((
                        start_ns, end_ns, arraySort(arrayMap(pair -> alike(pair), arrayFilter(
                            pair -> pair.1 NOT IN ('timestamp', 'end_time'), arrayZip(mapKeys(fields), mapValues(fields))
                        )))
                    ))
                ))) AS saying
            FROM usage_rows
            WHERE import_id = {rows_id:UInt64} AND bucket BETWEEN {first_bucket:UInt16} AND {last_bucket:UInt16}
        )
        ORDER BY row
        LIMIT 1 BY identity
    )
SELECT
    {tenant:String} AS tenant,
    toFixedString(substring(identity, 1, 16), 16) AS trace_id,
    toFixedString(substring(identity, 17, 8), 8) AS span_id,
    trimBoth(concat(operation, ' ', fields['model'])) AS name,
    'client' AS kind,
    fromUnixTimestamp64Nano(assumeNotNull(start_ns), 'UTC') AS start_time,
    coalesce(end_ns - start_ns, toInt64(number(fields['duration_ms']) * 1000000), toInt64(number(fields['duration_s']) * 1000000000), 0) AS duration_ns,
    if(match(lower(fields['status']), '^([45][0-9][0-9]|error|errored|failed|failure|timeout|[a-z]*exception|[a-z_]+error)$'), 'error', 'unset') AS status_code,
    {scope:String} AS scope_name,
    mapFilter((key, text) -> text != '', map(
        'gen_ai.usage.cost.amount', toString(number(fields['cost'])),
        'gen_ai.usage.cost.currency', if(fields['cost'] != '', if(fields['currency'] != '', upper(fields['currency']), 'USD'), ''),
        'gen_ai.usage.cost.source', if(fields['cost'] != '', 'provider', ''),
        'gen_ai.usage.cache_write.1h.input_tokens', toString(cache_write_1h_tokens),
        'gen_ai.usage.audio.input_tokens', fields['input_audio_tokens'],
        'gen_ai.usage.audio.output_tokens', fields['output_audio_tokens'],
        'gen_ai.usage.image.input_tokens', fields['input_image_tokens'],
        'gen_ai.usage.image.output_tokens', fields['output_image_tokens'],
        'gen_ai.usage.web_searches', fields['web_searches'],
        'gen_ai.usage.images', fields['images'],
        'gen_ai.usage.audio_seconds', fields['audio_seconds'],
        'gen_ai.usage.video_seconds', fields['video_seconds'],
        'gen_ai.usage.characters', fields['characters'],
        'gen_ai.usage.pages', fields['pages'],
        'gen_ai.usage.queries', fields['queries'],
        'gen_ai.usage.raw', fields['usage'],
        'gen_ai.request.batch', if(lower(fields['batch']) IN ('true', '1', 'yes', 't', 'batch'), 'true', ''),
        'tollbook.usage.import', toString({import_id:UInt64}),
        'tollbook.usage.bucket', fields['#bucket'],
        'tollbook.usage.counts', fields['#counts'],
        'tollbook.told_by', fields['#told_by']
    )) AS attributes,
    {received_at:DateTime('UTC')} AS received_at,
    operation AS operation_name,
    fields['provider'] AS provider_name,
    fields['model'] AS request_model,
    fields['response_model'] AS response_model,
    fields['request_id'] AS response_id,
    input_tokens,
    output_tokens,
    if(fields['prefix_blocks'] != '', least(toInt64(hits * {block_tokens:UInt32}), input_tokens), cache_read_tokens) AS all_cache_read_tokens,
    cache_write_tokens,
    counted('reasoning_tokens') AS reasoning_tokens,
    fields['service_tier'] AS service_tier,
    fields['service'] AS service_name,
    fields['service_version'] AS service_version,
    fields['region'] AS cloud_region,
    fields['account'] AS cloud_account_id,
    fields['team'] AS team,
    fields['project'] AS project,
    fields['feature'] AS feature,
    fields['customer'] AS customer,
    fields['environment'] AS environment,
    fields['workflow'] AS workflow,
    fields['user'] AS user_id,
    fields['session'] AS session_id
FROM told AS staged
LEFT ANY JOIN (
    -- How many blocks does the prompt of a row begin with that prompts of earlier rows had? A cache without bounds holds these.
    SELECT row, if(minIf(place, first_row >= row) > 0, minIf(place, first_row >= row) - 1, max(place)) AS hits
    FROM (
        SELECT row, place, min(row) OVER (PARTITION BY block) AS first_row
        FROM (
            SELECT row, JSONExtractArrayRaw(fields['prefix_blocks']) AS blocks
            FROM usage_rows
            WHERE import_id = {rows_id:UInt64} AND fields['prefix_blocks'] != ''
        )
        ARRAY JOIN blocks AS block, arrayEnumerate(blocks) AS place
    )
    GROUP BY row
) AS prefixes ON staged.row = prefixes.row
WHERE (trace_id, span_id) NOT IN (
    SELECT trace_id, span_id FROM spans
    WHERE tenant = {tenant:String} AND scope_name = {scope:String}
        AND start_time >= (SELECT fromUnixTimestamp64Nano(assumeNotNull(min(start_ns)), 'UTC') FROM usage_rows WHERE import_id = {rows_id:UInt64})
        AND start_time <= (SELECT fromUnixTimestamp64Nano(assumeNotNull(max(start_ns)), 'UTC') FROM usage_rows WHERE import_id = {rows_id:UInt64})
        AND trace_id GLOBAL IN (SELECT toFixedString(substring(identity, 1, 16), 16) FROM told)
)
