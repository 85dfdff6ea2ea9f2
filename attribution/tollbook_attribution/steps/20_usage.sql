-- Which other spans tell of a model call, and what did it use? Buckets that exclude each other, however the SDK spells and counts.
-- Trace by trace.
-- Generated from registry/dialects.yaml by `make generate`: the rules are there, this is how they are applied. What a span tells (columns,
-- attributes, members of JSON) becomes (code, number, text), code = concept x 64 + place; sorted, the first of a concept is its best
-- spelling. Few levels with few columns, because ClickHouse analyzes each level again for those above: with one alias a value, it took 1.2 s.
SELECT 1 AS found
FROM work_spans
WHERE settlement = {settlement:UInt64} AND (
        notEmpty(told) OR isNotNull(input_tokens) OR isNotNull(output_tokens) OR tollbook_kind = 'inference' OR operation != '' OR framework_kind != ''
    ) AND NOT (
        empty(told)
        AND ifNull(input_tokens >= 0 AND input_tokens <= 10000000000, true)
        AND ifNull(cache_read_tokens >= 0 AND cache_read_tokens <= 10000000000, true)
        AND ifNull(cache_write_tokens >= 0 AND cache_write_tokens <= 10000000000, true)
        AND ifNull(output_tokens >= 0 AND output_tokens <= 10000000000, true)
        AND ifNull(reasoning_tokens >= 0 AND reasoning_tokens <= 10000000000, true)
        AND (ifNull(reasoning_tokens = 0, true) OR NOT (
            match(provider, '(?i)\\bx[-_.]?ai\\b|grok') OR match(request_model, '(?i)\\bx[-_.]?ai\\b|grok')
            OR match(response_model, '(?i)\\bx[-_.]?ai\\b|grok')
        ))
        AND NOT match(concat(scope_name, '$'), '^(?:mlflow|ai\\$|@ai\\-sdk/|openlit)')
        AND provider != 'null'
        AND request_model != 'null'
        AND response_model != 'null'
        AND response_id != 'null'
        AND service_tier != 'null'
        AND operation != 'null'
        AND framework_kind != 'null'
    )
LIMIT 1;

INSERT INTO work_calls (
    settlement, trace_id, span_id, teller, response_id, dialect, call_class, embedding, provider, request_model, response_model, models,
    has_usage, usage_score, buckets, cache_told, total_input_tokens, flags, notes, provider_cost, provider_currency, failed, finish_reasons,
    local_cache_hit, batch, service_tier, region, account, fresh_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    teller,
    texts[indexOf(concepts, 36)] AS response_id,
    dialect,
    if(is_rollup, 'rollup', 'leaf') AS call_class,
    embedding,
    named[1] AS provider,
    named[2] AS request_model,
    named[3] AS response_model,
    arrayDistinct(arrayMap(m -> lower(splitByChar('/', m)[-1]), arrayFilter(m -> m != '', arraySlice(named, 2)))) AS models,
    notEmpty(buckets) AS has_usage,
    toInt16(length(arrayDistinct(arrayFilter(c -> c < 33, concepts))) + notEmpty(models)) AS usage_score,
    buckets,
    cache_told,
    if(texts[indexOf(concepts, 49)] = 'metrics', 0, all_input) AS total_input_tokens,
    flags,
    arrayFilter(note -> note != '', arrayConcat([
        multiIf(
            NOT has(flags, 'cache_counted_apart'), '',
            cached[1] + cached[2] > numbers[indexOf(concepts, 1)], 'cache tokens exceed the input: read as counted apart',
            'the total holds the cache tokens beside the input: read as counted apart'
        ),
        multiIf(
            NOT has(flags, 'reasoning_counted_apart'), '',
            numbers[indexOf(concepts, 20)] > numbers[indexOf(concepts, 18)], 'reasoning tokens exceed the output: read as counted apart',
            'the total holds the reasoning tokens beside the output: read as counted apart'
        ),
        multiIf(
            NOT has(flags, 'only_total'), '',
            embedding, 'only a total was told: taken as input',
            'only a total was told: what was input and what output is unknown'
        )
    ], arrayMap(flag -> transform(toString(flag),
        ['parts_exceed_total', 'kinds_exceed_total', 'negative_count', 'absurd_count', 'unreadable_count', 'from_logs', 'from_metrics'],
        [
            'input and output exceed the total that was told', 'tokens of one kind exceed all tokens: cut off', 'a negative count was left out',
            'a count too large to be one was left out', 'a count that is no number was left out', 'told by a log record',
            'told by metrics: the sum of an hour''s calls'
        ], ''
    ), flags))) AS notes,
    multiIf(
        arrayExists(x -> x > 0, costs), arrayFirst(x -> x > 0, costs),
        cost_of_parts > 0, cost_of_parts,
        notEmpty(costs), toDecimal128('0', 18), NULL
    ) AS provider_cost,
    if(has(concepts, 47), upper(texts[indexOf(concepts, 47)]), 'USD') AS provider_currency,
    failed,
    if(notEmpty(finish_reasons), finish_reasons, arrayFilter(r -> r != '', [texts[indexOf(concepts, 37)]])) AS finish_reasons,
    has(['true', '1', 'hit', 'yes'], lower(texts[indexOf(concepts, 42)])) AS local_cache_hit,
    if(lower(texts[indexOf(concepts, 38)]) = 'batch', true, has(['true', '1', 'yes'], lower(texts[indexOf(concepts, 41)]))) AS batch,
    lower(texts[indexOf(concepts, 38)]) AS service_tier,
    if(has(concepts, 39), texts[indexOf(concepts, 39)], region_of_span) AS region,
    if(has(concepts, 40), texts[indexOf(concepts, 40)], account_of_span) AS account,
    multiIf(
        hasAny(concepts, [1, 2]), all_input - cached[1] - cached[2], all_input > 0, all_input - cached[1] - cached[2], NULL
    ) AS fresh_tokens,
    if(cache_told, cached[1], NULL) AS cache_read_tokens,
    multiIf(cached[2] > 0, cached[2], has(concepts, 15), cached[2], NULL) AS cache_write_tokens,
    multiIf(visible > 0, visible, has(concepts, 18), visible, NULL) AS output_tokens,
    if(has(concepts, 20), numbers[indexOf(concepts, 20)], NULL) AS reasoning_tokens
FROM (
    SELECT
        * EXCEPT (kinds_in, kinds_out, kinds_read),
        CAST(mapFilter((k, v) -> v > 0, map(
            'input', all_input - cached[1] - cached[2] - arraySum(kinds_in), 'input_audio', kinds_in[1], 'input_image', kinds_in[2], 'input_video', kinds_in[3],
            'cache_read', cached[1] - arraySum(kinds_read), 'cache_read_audio', kinds_read[1], 'cache_read_image', kinds_read[2], 'cache_read_video', kinds_read[3],
            'cache_write', cached[2] - least(cached[2], numbers[indexOf(concepts, 17)]), 'cache_write_1h', least(cached[2], numbers[indexOf(concepts, 17)]),
            'output', visible - arraySum(kinds_out), 'output_audio', kinds_out[1], 'output_image', kinds_out[2], 'output_video', kinds_out[3],
            'reasoning', numbers[indexOf(concepts, 20)],
            'web_search', numbers[indexOf(concepts, 26)], 'image', numbers[indexOf(concepts, 27)], 'audio_second', numbers[indexOf(concepts, 28)], 'video_second', numbers[indexOf(concepts, 29)], 'character', numbers[indexOf(concepts, 30)], 'page', numbers[indexOf(concepts, 31)], 'query', numbers[indexOf(concepts, 32)]
        )), 'Map(LowCardinality(String), Int64)') AS buckets,
        arrayFilter(flag -> flag != '', [
            multiIf(rule_cache_apart, '', cache_apart, 'cache_counted_apart', ''),
            multiIf(rule_reasoning_apart, '', reasoning_apart, 'reasoning_counted_apart', ''),
            multiIf(numbers[indexOf(concepts, 25)] <= 0, '', numbers[indexOf(concepts, 1)] + numbers[indexOf(concepts, 18)] > numbers[indexOf(concepts, 25)], 'parts_exceed_total', ''),
            if(arraySum(wanted_in) + arraySum(wanted_out) > arraySum(kinds_in) + arraySum(kinds_out), 'kinds_exceed_total', ''),
            multiIf(has(concepts, 9), '', cached[1] > 0, '', embedding, '', all_input >= 1024, 'cache_share_unknown', ''),
            multiIf(hasAny(concepts, [1, 2, 18]), '', has(concepts, 25), 'only_total', ''),
            transform(texts[indexOf(concepts, 49)], ['logs', 'metrics'], ['from_logs', 'from_metrics'], ''),
            if(arrayExists(b -> b.2 < 0, bad), 'negative_count', ''),
            if(arrayExists(b -> toFloat64OrZero(b.3) > 10000000000, bad), 'absurd_count', ''),
            if(arrayExists(b -> if(isNull(b.2), toFloat64OrZero(b.3) <= 10000000000, false), bad), 'unreadable_count', '')
        ]) AS flags,
        if(cached[1] > 0, true, has(concepts, 9)) AS cache_told
    FROM (
        SELECT
            *,
            arrayMap((w, c) -> least(w, greatest(all_input - cached[1] - cached[2] + w - c, 0)), wanted_in, arrayCumSum(wanted_in)) AS kinds_in,
            arrayMap((w, c) -> least(w, greatest(visible + w - c, 0)), wanted_out, arrayCumSum(wanted_out)) AS kinds_out
        FROM (
            SELECT
                *,
                numbers[indexOf(concepts, 19)] + if(
                    has(concepts, 18), numbers[indexOf(concepts, 18)] + if(reasoning_apart, 0, -numbers[indexOf(concepts, 20)]) + if(disjoint[2], arraySum(wanted_out), 0), arraySum(wanted_out)
                ) AS visible
            FROM (
                SELECT
                    *,
                    multiIf(
                        numbers[indexOf(concepts, 20)] = 0, false,
                        NOT has(concepts, 18), false,
                        numbers[indexOf(concepts, 20)] > numbers[indexOf(concepts, 18)], true,
                        all_input + numbers[indexOf(concepts, 18)] + numbers[indexOf(concepts, 20)] = numbers[indexOf(concepts, 25)], true,
                        output_never_whole, true,
                        all_input + numbers[indexOf(concepts, 18)] = numbers[indexOf(concepts, 25)], false,
                        rule_reasoning_apart
                    ) AS reasoning_apart
                FROM (
                    SELECT
                        *,
                        numbers[indexOf(concepts, 3)] + multiIf(
                            has(concepts, 1), numbers[indexOf(concepts, 1)] + if(cache_apart, cached[1] + cached[2], 0) + if(disjoint[1], arraySum(wanted_in), 0),
                            has(concepts, 2), numbers[indexOf(concepts, 2)] + cached[1] + cached[2],
                            if(embedding, NOT has(concepts, 18), false), greatest(numbers[indexOf(concepts, 25)], cached[1] + cached[2] + arraySum(wanted_in)),
                            cached[1] + cached[2] + arraySum(wanted_in)
                        ) AS all_input
                    FROM (
                        SELECT
                            *,
                            multiIf(
                                arraySum(cached) = 0, false,
                                NOT has(concepts, 1), false,
                                arraySum(cached) > numbers[indexOf(concepts, 1)], true,
                                if(has(concepts, 2), numbers[indexOf(concepts, 2)] + cached[1] IN (numbers[indexOf(concepts, 1)], numbers[indexOf(concepts, 1)] - cached[2]), false), false,
                                numbers[indexOf(concepts, 25)] - numbers[indexOf(concepts, 1)] - arraySum(cached) - numbers[indexOf(concepts, 18)] - numbers[indexOf(concepts, 3)] IN (0, numbers[indexOf(concepts, 20)]), true,
                                rule_cache_apart
                            ) AS cache_apart
                        FROM (
                            SELECT
                                * EXCEPT (scope_name),
                                multiIf(
                                    has([75, 78], rows[indexOf(concepts, 1)]), true,
                                    has([74], rows[indexOf(concepts, 1)]), hasAny(rows, [596, 597, 973, 974, 975, 604, 980, 602]),
                                    NOT has(['openlit', 'mlflow', 'vercel'], dialect), false,
                                    match(named[1], '(?i)openrouter|openai|litellm|together|fireworks|groq|gateway|portkey|vercel|deepinfra|huggingface'), false,
                                    match(arrayStringConcat(named, ' '), '(?i)anthropic|claude|bedrock|^(?:aws|amazon)')
                                ) AS rule_cache_apart,
                                has([1162, 1163, 1164], rows[indexOf(concepts, 18)]) AS output_never_whole,
                                multiIf(
                                    has([1162, 1163, 1164], rows[indexOf(concepts, 18)]), true,
                                    NOT has(['raw', 'gen_ai_1.36', 'gen_ai_1.41', 'gen_ai', 'traceloop', 'openlit', 'openinference'], dialect), false,
                                    match(named[1], '(?i)openrouter|openai|litellm|together|fireworks|groq|gateway|portkey|vercel|deepinfra|huggingface'), false,
                                    match(arrayStringConcat(named, ' '), '(?i)\\bx[-_.]?ai\\b|grok')
                                ) AS rule_reasoning_apart
                            FROM (
                                SELECT
                                    *,
                                    if(
                                        arrayExists(p -> startsWith(concat(scope_name, '$'), p), ['com.anthropic.claude_code', 'langfuse-sdk$', 'langfuse$', 'mlflow', 'ai$', '@ai-sdk/', 'logfire', 'pydantic-ai$', 'openinference.', '@arizeai/openinference', 'litellm', 'openlit', 'traceloop', '@traceloop/', 'opentelemetry.instrumentation.openai$', 'opentelemetry.instrumentation.openai.', 'opentelemetry.instrumentation.anthropic$', 'opentelemetry.instrumentation.bedrock$', 'opentelemetry.instrumentation.cohere$', 'opentelemetry.instrumentation.mistralai$', 'opentelemetry.instrumentation.groq$', 'opentelemetry.instrumentation.langchain$', 'opentelemetry.instrumentation.llamaindex$', 'opentelemetry.instrumentation.', 'opentelemetry.util.genai', 'tollbook']),
                                        ['claude_code', 'langfuse', 'langfuse', 'mlflow', 'vercel', 'vercel', 'logfire', 'logfire', 'openinference', 'openinference', 'litellm', 'openlit', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'gen_ai', 'gen_ai', 'gen_ai'][arrayFirstIndex(p -> startsWith(concat(scope_name, '$'), p), ['com.anthropic.claude_code', 'langfuse-sdk$', 'langfuse$', 'mlflow', 'ai$', '@ai-sdk/', 'logfire', 'pydantic-ai$', 'openinference.', '@arizeai/openinference', 'litellm', 'openlit', 'traceloop', '@traceloop/', 'opentelemetry.instrumentation.openai$', 'opentelemetry.instrumentation.openai.', 'opentelemetry.instrumentation.anthropic$', 'opentelemetry.instrumentation.bedrock$', 'opentelemetry.instrumentation.cohere$', 'opentelemetry.instrumentation.mistralai$', 'opentelemetry.instrumentation.groq$', 'opentelemetry.instrumentation.langchain$', 'opentelemetry.instrumentation.llamaindex$', 'opentelemetry.instrumentation.', 'opentelemetry.util.genai', 'tollbook'])],
                                        ['claude_code', 'langfuse', 'mlflow', 'vercel', 'logfire', 'openinference', 'litellm', 'openlit', 'traceloop', 'raw', 'gen_ai_1.36', 'gen_ai_1.41', 'gen_ai'][arrayMin(arrayMap(a -> transform(a.1, [64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 128, 129, 130, 131, 192, 256, 257, 258, 259, 260, 320, 321, 322, 323, 324, 325, 326, 327, 328, 329, 330, 384, 385, 386, 387, 388, 389, 390, 391, 392, 393, 394, 395, 448, 449, 512, 513, 514, 515, 516, 517, 518, 519, 520, 576, 577, 578, 579, 580, 581, 582, 583, 584, 585, 586, 587, 588, 589, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599, 600, 601, 602, 603, 604, 605, 606, 607, 608, 609, 610, 640, 641, 642, 643, 704, 705, 706, 707, 708, 709, 710, 768, 769, 770, 771, 772, 773, 832, 896, 897, 898, 899, 900, 960, 961, 962, 963, 964, 965, 966, 967, 968, 969, 970, 971, 972, 973, 974, 975, 976, 977, 978, 979, 980, 981, 982, 983, 1024, 1025, 1026, 1027, 1028, 1029, 1030, 1031, 1032, 1033, 1088, 1089, 1090, 1091, 1092, 1093, 1094, 1095, 1096, 1097, 1098, 1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1162, 1163, 1164, 1165, 1166, 1167, 1216, 1280, 1281, 1282, 1283, 1284, 1285, 1286, 1287, 1288, 1289, 1290, 1291, 1292, 1293, 1294, 1295, 1296, 1297, 1298, 1299, 1300, 1301, 1302, 1303, 1304, 1344, 1345, 1346, 1347, 1348, 1408, 1409, 1410, 1411, 1412, 1413, 1414, 1415, 1416, 1417, 1418, 1472, 1473, 1474, 1475, 1476, 1477, 1478, 1479, 1480, 1481, 1536, 1537, 1538, 1539, 1600, 1601, 1602, 1603, 1604, 1605, 1606, 1607, 1664, 1665, 1666, 1667, 1668, 1669, 1670, 1671, 1728, 1729, 1730, 1731, 1792, 1793, 1794, 1795, 1856, 1857, 1920, 1921, 1922, 1984, 1985, 2048, 2049, 2050, 2112, 2113, 2114, 2115, 2116, 2117, 2118, 2119, 2176, 2177, 2178, 2179, 2180, 2181, 2182, 2183, 2184, 2240, 2241, 2242, 2304, 2305, 2306, 2368, 2369, 2370, 2371, 2372, 2432, 2433, 2434, 2435, 2436, 2437, 2438, 2439, 2440, 2496, 2497, 2498, 2560, 2561, 2624, 2625, 2626, 2688, 2689, 2690, 2691, 2692, 2693, 2694, 2695, 2696, 2697, 2752, 2753, 2754, 2755, 2756, 2757, 2758, 2759, 2760, 2761, 2762, 2763, 2764, 2765, 2766, 2767, 2768, 2769, 2770, 2771, 2772, 2773, 2816, 2880, 2881, 2882, 2883, 2884, 2885, 2944, 2945, 2946, 2947, 2948, 2949, 3008, 3009, 3010, 3072, 3136, 3200, 3201, 3202, 3203, 3204, 3205, 3206, 3207, 3208, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31], [13, 11, 6, 9, 4, 4, 4, 3, 10, 10, 10, 10, 10, 10, 1, 5, 4, 10, 10, 10, 10, 13, 10, 10, 10, 10, 13, 6, 5, 5, 8, 10, 10, 10, 10, 10, 10, 13, 6, 5, 5, 8, 10, 10, 10, 10, 10, 10, 10, 5, 10, 13, 6, 5, 5, 10, 10, 10, 10, 10, 13, 9, 6, 6, 5, 5, 5, 8, 8, 8, 8, 4, 4, 4, 4, 3, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 1, 12, 12, 13, 13, 10, 10, 13, 13, 5, 5, 10, 10, 10, 13, 13, 5, 5, 10, 10, 10, 13, 13, 5, 5, 10, 13, 12, 9, 6, 5, 5, 8, 8, 4, 4, 4, 3, 3, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 1, 13, 13, 5, 5, 4, 4, 10, 10, 10, 10, 13, 13, 5, 5, 4, 4, 3, 10, 10, 10, 10, 13, 11, 6, 9, 4, 4, 3, 10, 10, 10, 10, 10, 10, 10, 1, 5, 10, 13, 9, 9, 6, 5, 5, 5, 8, 8, 8, 4, 4, 4, 3, 3, 10, 10, 10, 10, 10, 10, 10, 10, 12, 12, 13, 10, 10, 10, 10, 13, 6, 5, 5, 8, 10, 10, 10, 10, 10, 10, 13, 6, 5, 5, 8, 10, 10, 10, 10, 10, 13, 10, 10, 10, 11, 6, 9, 4, 3, 10, 10, 10, 13, 13, 5, 5, 10, 10, 10, 10, 13, 13, 10, 10, 13, 10, 10, 10, 13, 10, 13, 10, 10, 13, 10, 13, 10, 10, 13, 11, 6, 6, 3, 4, 7, 7, 13, 6, 6, 6, 6, 2, 3, 4, 1, 13, 6, 4, 13, 4, 1, 6, 9, 9, 4, 1, 13, 11, 10, 4, 12, 12, 9, 9, 6, 13, 13, 10, 13, 7, 13, 13, 6, 13, 13, 13, 7, 7, 7, 7, 9, 9, 9, 13, 13, 13, 13, 13, 13, 6, 2, 2, 5, 7, 7, 7, 7, 1, 10, 10, 4, 4, 9, 9, 9, 9, 13, 13, 13, 6, 2, 2, 13, 13, 13, 6, 2, 2, 13, 13, 2, 5, 13, 13, 13, 6, 2, 3, 4, 1, 9, 9, 2, 13, 13, 10, 10, 10, 13, 10, 3, 3, 4, 13, 2, 3, 3, 2, 10, 10, 13, 7, 7, 2, 2, 3, 5, 5, 5, 9, 9, 7, 7], 13), told))]
                                    ) AS dialect,
                                    [texts[indexOf(concepts, 33)], texts[indexOf(concepts, 34)], texts[indexOf(concepts, 35)]] AS named,
                                    arrayMap(t -> transform(lower(t), ['chat', 'text_completion', 'completion', 'generate_content', 'responses', 'message', 'messages', 'llm', 'chat_model', 'generation', 'rerank', 'reranker', 'llm_request', 'claude_code.llm_request', 'ai.generatetext.dogenerate', 'ai.streamtext.dostream', 'ai.generateobject.dogenerate', 'ai.streamobject.dostream', 'ai.rerank.dorerank', 'image_generation', 'speech', 'transcription', 'audio', 'embeddings', 'embedding', 'embed', 'ai.embed.doembed', 'ai.embedmany.doembed', 'invoke_agent', 'agent_step', 'invoke_workflow', 'handle_conversation_turn', 'create_agent', 'plan', 'agent', 'chain', 'workflow', 'task', 'tool', 'retriever', 'retrieval', 'guardrail', 'evaluator', 'prompt', 'parser', 'span', 'event', 'memory', 'interaction', 'claude_code.interaction', 'ai.generatetext', 'ai.streamtext', 'ai.generateobject', 'ai.streamobject', 'ai.embed', 'ai.embedmany', 'ai.rerank', 'execute_tool', 'fetch_response', 'ai.toolcall'], ['call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'none', 'none', 'none'], ''), arrayFilter((t, c) -> c = 50, texts, concepts)) AS classes,
                                    if(has(classes, 'rollup'), true, hasAny(rows, [3072, 79, 1167])) AS is_rollup,
                                    has(classes, 'embedding') AS embedding,
                                    [has([75, 1162], rows[indexOf(concepts, 1)]), has([75, 1162], rows[indexOf(concepts, 18)])] AS disjoint,
                                    if(
                                        has([72], rows[indexOf(concepts, 1)]), [0, 0, 0],
                                        [numbers[indexOf(concepts, 11)], numbers[indexOf(concepts, 12)] + numbers[indexOf(concepts, 13)], numbers[indexOf(concepts, 14)]]
                                    ) AS kinds_read,
                                    if(has([72], rows[indexOf(concepts, 1)]), [0, 0], [
                                        greatest(numbers[indexOf(concepts, 9)], arraySum(kinds_read) + numbers[indexOf(concepts, 10)]),
                                        greatest(numbers[indexOf(concepts, 15)], numbers[indexOf(concepts, 16)] + numbers[indexOf(concepts, 17)])
                                    ]) AS cached,
                                    arrayMap(p -> greatest(p.1 - if(p.3, 0, p.2), 0), [
                                        (numbers[indexOf(concepts, 5)], numbers[indexOf(concepts, 11)], has([75, 1162], rows[indexOf(concepts, 1)])),
                                        (numbers[indexOf(concepts, 6)] + numbers[indexOf(concepts, 7)], numbers[indexOf(concepts, 12)] + numbers[indexOf(concepts, 13)], has([75, 1162], rows[indexOf(concepts, 1)])),
                                        (numbers[indexOf(concepts, 8)], numbers[indexOf(concepts, 14)], has([75, 1162], rows[indexOf(concepts, 1)]))
                                    ]) AS wanted_in,
                                    [numbers[indexOf(concepts, 22)], numbers[indexOf(concepts, 23)], numbers[indexOf(concepts, 24)]] AS wanted_out,
                                    arrayFilter(x -> x >= 0, arrayMap(
                                        (c, t) -> multiIf(c = 43, toDecimal128OrNull(t, 18), c = 44, toDecimal128OrNull(t, 18) / 1000000000, NULL),
                                        concepts, texts
                                    )) AS costs,
                                    ifNull(toDecimal128OrNull(texts[indexOf(concepts, 45)], 18), 0) + ifNull(toDecimal128OrNull(texts[indexOf(concepts, 46)], 18), 0) AS cost_of_parts
                                FROM (
                                    SELECT
                                        * EXCEPT (best),
                                        arrayMap(b -> b.1, best) AS rows,
                                        arrayMap(b -> intDiv(b.1, 64), best) AS concepts,
                                        arrayMap(b -> toInt64(b.2), best) AS numbers,
                                        arrayMap(b -> b.3, best) AS texts
                                    FROM (
                                        SELECT
                                            *,
                                            arrayFilter(a -> multiIf(a.1 < 64, false, a.1 >= 2112, false, isNull(a.2), true, a.2 < 0, true, a.2 > 10000000000), told) AS bad,
                                            arraySort(b -> b.1 + if(b.1 < 2112, if(b.2 = 0, 100000, 0), 0), arrayMap(
                                                a -> (a.1, if(a.1 < 2112, ifNull(a.2, 0), 0), a.3),
                                                arrayFilter(a -> multiIf(a.1 >= 2112, true, a.1 < 64, false, isNull(a.2), false, a.2 < 0, false, a.2 <= 10000000000), told)
                                            )) AS best
                                        FROM (
                                            SELECT
                                                * EXCEPT (keys, values, shapes, of_columns, is_claude),
                                                arrayMap(
                                                    p -> (
                                                        transform(p.1, ['gen_ai.usage.input_tokens', 'gen_ai.usage.prompt_tokens', 'llm.token_count.prompt', 'llm.usage.prompt_tokens', 'ai.usage.inputTokens', 'ai.usage.promptTokens', 'ai.usage.tokens', 'mlflow#input_tokens', 'usage#billed_units.input_tokens', 'usage#prompt_tokens', 'usage#input_tokens', 'usage#input', 'usage#prompt_token_count', 'usage#tokens.input_tokens', 'claude_code#input_tokens', 'gen_ai.aggregated_usage.input_tokens', 'ai.usage.inputTokenDetails.noCacheTokens', 'usage#prompt_cache_miss_tokens', 'usage#input_token_details.no_cache_tokens', 'usage#input_tokens_details.no_cache_tokens', 'usage#tool_use_prompt_token_count', 'gen_ai.usage.text.input_tokens', 'usage#prompt_tokens_details.text_tokens', 'usage#prompt_tokens_details.text', 'usage#input_tokens_details.text_tokens', 'usage#input_token_details.text_tokens', 'gen_ai.usage.audio.input_tokens', 'llm.token_count.prompt_details.audio', 'gen_ai.usage.details.input_audio_tokens', 'gen_ai.usage.details.audio_prompt_tokens', 'gen_ai.usage.prompt_tokens_details.audio_tokens', 'usage#prompt_tokens_details.audio_tokens', 'usage#prompt_tokens_details.audio', 'usage#input_tokens_details.audio_tokens', 'usage#input_token_details.audio_tokens', 'usage#input_audio_tokens', 'usage#input_audio', 'gen_ai.usage.image.input_tokens', 'llm.token_count.prompt_details.image', 'gen_ai.usage.details.input_image_tokens', 'gen_ai.usage.details.image_prompt_tokens', 'gen_ai.usage.prompt_tokens_details.image_tokens', 'usage#prompt_tokens_details.image_tokens', 'usage#prompt_tokens_details.image', 'usage#input_tokens_details.image_tokens', 'usage#input_token_details.image_tokens', 'usage#prompt_image_tokens', 'usage#input_image_tokens', 'usage#input_image', 'gen_ai.usage.details.document_prompt_tokens', 'usage#prompt_tokens_details.document', 'gen_ai.usage.video.input_tokens', 'llm.token_count.prompt_details.video', 'gen_ai.usage.details.input_video_tokens', 'gen_ai.usage.details.video_prompt_tokens', 'usage#prompt_tokens_details.video_tokens', 'usage#prompt_tokens_details.video', 'usage#input_tokens_details.video_tokens', 'usage#input_video_tokens', 'usage#input_video', 'gen_ai.usage.cache_read.input_tokens', 'gen_ai.usage.cache_read_input_tokens', 'llm.token_count.prompt_details.cache_read', 'llm.token_count.prompt_details.cache_input', 'gen_ai.usage.details.cache_read_tokens', 'gen_ai.usage.details.cache_read_input_tokens', 'gen_ai.usage.details.cached_tokens', 'gen_ai.usage.prompt_tokens_details.cached_tokens', 'gen_ai.usage.input_tokens_details.cached_tokens', 'gen_ai.usage.cached_tokens', 'gen_ai.usage.input_tokens.cached', 'ai.usage.inputTokenDetails.cacheReadTokens', 'ai.usage.cachedInputTokens', 'metadata#cached_prompt_tokens', 'metadata#cache_read_input_tokens', 'mlflow#cache_read_input_tokens', 'usage#prompt_tokens_details.cached_tokens', 'usage#input_tokens_details.cached_tokens', 'usage#input_token_details.cached_tokens', 'usage#input_tokens_details.cache_read_input_tokens', 'usage#cache_read_input_tokens', 'usage#cache_read_input_token_count', 'usage#cached_content_token_count', 'usage#prompt_cache_hit_tokens', 'usage#cached_prompt_text_tokens', 'usage#cached_tokens', 'usage#input_cached_tokens', 'usage#cached_input_tokens', 'usage#cache_read_tokens', 'usage#input_cache_read', 'usage#input_cache_read_tokens', 'usage#input_token_details.cache_read_tokens', 'claude_code#cache_read_tokens', 'gen_ai.aggregated_usage.cache_read.input_tokens', 'gen_ai.aggregated_usage.details.cache_read_tokens', 'gen_ai.usage.text.cache_read.input_tokens', 'gen_ai.usage.cache_read.text.input_tokens', 'usage#cache_tokens_details.text', 'usage#input_token_details.cached_tokens_details.text_tokens', 'gen_ai.usage.audio.cache_read.input_tokens', 'gen_ai.usage.cache_read.audio.input_tokens', 'gen_ai.usage.details.cache_audio_read_tokens', 'gen_ai.usage.details.audio_cache_tokens', 'usage#cache_tokens_details.audio', 'usage#input_token_details.cached_tokens_details.audio_tokens', 'usage#input_cached_audio_tokens', 'gen_ai.usage.image.cache_read.input_tokens', 'gen_ai.usage.cache_read.image.input_tokens', 'gen_ai.usage.details.cache_image_read_tokens', 'gen_ai.usage.details.image_cache_tokens', 'usage#cache_tokens_details.image', 'usage#input_token_details.cached_tokens_details.image_tokens', 'usage#cache_tokens_details.document', 'gen_ai.usage.video.cache_read.input_tokens', 'gen_ai.usage.cache_read.video.input_tokens', 'gen_ai.usage.details.cache_video_read_tokens', 'gen_ai.usage.details.video_cache_tokens', 'usage#cache_tokens_details.video', 'gen_ai.usage.cache_write.input_tokens', 'gen_ai.usage.cache_creation.input_tokens', 'gen_ai.usage.cache_creation_input_tokens', 'llm.token_count.prompt_details.cache_write', 'gen_ai.usage.details.cache_write_tokens', 'gen_ai.usage.details.cache_creation_input_tokens', 'gen_ai.usage.cache_write_input_tokens', 'gen_ai.usage.input_tokens.cache_write', 'ai.usage.inputTokenDetails.cacheWriteTokens', 'metadata#cache_creation_input_tokens', 'metadata#cache_write_input_tokens', 'mlflow#cache_creation_input_tokens', 'mlflow#cache_write_input_tokens', 'usage#cache_creation_input_tokens', 'usage#cache_write_input_tokens', 'usage#cache_write_input_token_count', 'usage#prompt_tokens_details.cache_write_tokens', 'usage#prompt_tokens_details.cache_creation_tokens', 'usage#input_tokens_details.cache_write_tokens', 'usage#input_token_details.cache_write_tokens', 'usage#cache_write_tokens', 'usage#input_cache_creation', 'usage#input_cache_write', 'claude_code#cache_creation_tokens', 'gen_ai.usage.cache_write.5m.input_tokens', 'gen_ai.usage.cache_creation.ephemeral_5m_input_tokens', 'gen_ai.usage.details.cache_write_5m_tokens', 'gen_ai.usage.details.ephemeral_5m_input_tokens', 'metadata#cache_creation.ephemeral_5m_input_tokens', 'metadata#cache_details.5m', 'usage#cache_creation.ephemeral_5m_input_tokens', 'usage#cache_details.5m', 'usage#input_cache_creation_5m', 'usage#cache_write_5m_tokens', 'gen_ai.usage.cache_write.1h.input_tokens', 'gen_ai.usage.cache_creation.ephemeral_1h_input_tokens', 'gen_ai.usage.details.cache_write_1h_tokens', 'gen_ai.usage.details.ephemeral_1h_input_tokens', 'metadata#cache_creation.ephemeral_1h_input_tokens', 'metadata#cache_details.1h', 'mlflow#cache_creation_input_tokens_above_1hr', 'usage#cache_creation.ephemeral_1h_input_tokens', 'usage#cache_details.1h', 'usage#input_cache_creation_1h', 'usage#cache_write_1h_tokens', 'gen_ai.usage.output_tokens', 'gen_ai.usage.completion_tokens', 'llm.token_count.completion', 'llm.usage.completion_tokens', 'ai.usage.outputTokens', 'ai.usage.completionTokens', 'mlflow#output_tokens', 'usage#billed_units.output_tokens', 'usage#completion_tokens', 'usage#output_tokens', 'usage#output', 'usage#candidates_token_count', 'usage#response_token_count', 'usage#tokens.output_tokens', 'claude_code#output_tokens', 'gen_ai.aggregated_usage.output_tokens', 'usage#citation_tokens', 'gen_ai.usage.reasoning.output_tokens', 'gen_ai.usage.reasoning_tokens', 'llm.usage.reasoning_tokens', 'llm.token_count.completion_details.reasoning', 'gen_ai.usage.details.reasoning_tokens', 'gen_ai.usage.details.thoughts_tokens', 'gen_ai.usage.details.thinking_tokens', 'gen_ai.usage.completion_tokens_details.reasoning_tokens', 'gen_ai.usage.output_tokens_details.reasoning_tokens', 'gen_ai.usage.output_tokens.reasoning', 'ai.usage.outputTokenDetails.reasoningTokens', 'ai.usage.reasoningTokens', 'metadata#reasoning_tokens', 'mlflow#reasoning_tokens', 'mlflow#output_reasoning_tokens', 'usage#completion_tokens_details.reasoning_tokens', 'usage#output_tokens_details.reasoning_tokens', 'usage#output_tokens_details.thinking_tokens', 'usage#output_token_details.reasoning_tokens', 'usage#thoughts_token_count', 'usage#reasoning_tokens', 'usage#output_reasoning_tokens', 'usage#output_reasoning', 'gen_ai.aggregated_usage.reasoning.output_tokens', 'gen_ai.aggregated_usage.details.reasoning_tokens', 'gen_ai.usage.text.output_tokens', 'usage#completion_tokens_details.text_tokens', 'usage#candidates_tokens_details.text', 'usage#output_token_details.text_tokens', 'usage#output_tokens_details.text_tokens', 'gen_ai.usage.audio.output_tokens', 'llm.token_count.completion_details.audio', 'gen_ai.usage.details.output_audio_tokens', 'gen_ai.usage.details.audio_candidates_tokens', 'gen_ai.usage.completion_tokens_details.audio_tokens', 'usage#completion_tokens_details.audio_tokens', 'usage#output_tokens_details.audio_tokens', 'usage#output_token_details.audio_tokens', 'usage#candidates_tokens_details.audio', 'usage#output_audio_tokens', 'usage#output_audio', 'gen_ai.usage.image.output_tokens', 'llm.token_count.completion_details.image', 'gen_ai.usage.details.output_image_tokens', 'gen_ai.usage.details.image_candidates_tokens', 'gen_ai.usage.completion_tokens_details.image_tokens', 'usage#completion_tokens_details.image_tokens', 'usage#output_tokens_details.image_tokens', 'usage#candidates_tokens_details.image', 'usage#output_image_tokens', 'usage#output_image', 'gen_ai.usage.video.output_tokens', 'usage#completion_tokens_details.video_tokens', 'usage#candidates_tokens_details.video', 'usage#output_video_tokens', 'gen_ai.usage.total_tokens', 'llm.token_count.total', 'llm.usage.total_tokens', 'ai.usage.totalTokens', 'mlflow#total_tokens', 'usage#total_tokens', 'usage#total_token_count', 'usage#total', 'gen_ai.usage.web_search.requests', 'gen_ai.usage.web_searches', 'gen_ai.usage.details.web_search_requests', 'gen_ai.usage.details.web_searches', 'usage#server_tool_use.web_search_requests', 'usage#num_search_queries', 'usage#tool_calls_details.search_web.invocation', 'usage#web_searches', 'gen_ai.usage.images', 'gen_ai.usage.output_images', 'usage#images', 'usage#output_images', 'gen_ai.usage.audio_seconds', 'usage#billable_audio_seconds', 'usage#audio_seconds', 'usage#seconds', 'gen_ai.usage.video_seconds', 'usage#video_seconds', 'gen_ai.usage.characters', 'usage#characters', 'usage#input_characters', 'gen_ai.usage.pages', 'usage#pages_processed', 'gen_ai.usage.queries', 'usage#billed_units.search_units', 'usage#search_units', 'gen_ai.provider.name', 'gen_ai.system', 'llm.provider', 'llm.system', 'mlflow.llm.provider', 'ai.model.provider', 'custom_llm_provider', 'hidden#custom_llm_provider', 'gen_ai.request.model', 'llm.request.model_name', 'llm.model_name', 'embedding.model_name', 'reranker.model_name', 'langfuse.observation.model.name', 'mlflow.llm.model', 'ai.model.id', 'claude_code#model', 'gen_ai.response.model', 'llm.response.model_name', 'ai.response.model', 'gen_ai.response.id', 'ai.response.id', 'claude_code#request_id', 'llm.finish_reason', 'llm.response.finish_reason', 'gen_ai.completion.0.finish_reason', 'ai.response.finishReason', 'claude_code#stop_reason', 'openai.response.service_tier', 'gen_ai.openai.response.service_tier', 'usage#service_tier', 'metadata#service_tier', 'openai.request.service_tier', 'gen_ai.openai.request.service_tier', 'gen_ai.request.service_tier', 'llm.request.service_tier', 'parameters#service_tier', 'aws.bedrock.region', 'gen_ai.request.region', 'usage#inference_geo', 'gen_ai.account.id', 'metadata.user_api_key_team_id', 'gen_ai.request.batch', 'gen_ai.batch', 'llm.is_batch', 'gen_ai.cache.hit', 'tollbook.cache.hit', 'gen_ai.response.cache_hit', 'cache_hit', 'litellm.cache_hit', 'hidden#cache_hit', 'metadata.cache_hit', 'llm.cache.hit', 'langchain.cache.hit', 'gptcache.hit', 'gen_ai.usage.cost.amount', 'gen_ai.usage.cost', 'gen_ai.usage.total_cost', 'gen_ai.cost.total_cost', 'gen_ai.cost.total_tokens', 'gen_ai.usage.cost_usd', 'llm.cost.total', 'cost#total', 'cost#total_cost', 'operation.cost', 'llm.response.cost', 'litellm.response_cost', 'response_cost', 'hidden#response_cost', 'claude_code#cost_usd', 'usage#cost', 'usage#total_cost', 'ai.total_cost', 'metadata#cost', 'llm.usage.total_cost', 'opencode.llm.cost.total', '_signoz.gen_ai.total_cost', 'metrics.estimated_total_cost', 'gen_ai.usage.input_cost', 'gen_ai.cost.input_cost', 'gen_ai.cost.input_tokens', 'llm.cost.prompt', 'cost#input', 'cost#input_cost', 'gen_ai.usage.output_cost', 'gen_ai.cost.output_cost', 'gen_ai.cost.output_tokens', 'llm.cost.completion', 'cost#output', 'cost#output_cost', 'gen_ai.usage.cost.currency', 'gen_ai.cost.currency', 'cost#currency', 'pydantic_ai.new_message_index', 'tollbook.told_by', 'gen_ai.operation.name', 'framework.kind', 'openinference.span.kind', 'langfuse.observation.type', 'mlflow.spanType', 'ai.operationId', 'span.type', 'traceloop.span.kind', 'llm.request.type', 'langfuse.observation.usage_details', 'gen_ai.usage.raw', 'gen_ai.usage', 'llm.usage', 'usage', 'usage_object', 'gen_ai.response.usage', 'ai.usage', 'mlflow.chat.tokenUsage', 'mlflow.trace.tokenUsage', 'ai.response.providerMetadata', 'gen_ai.response.provider_metadata', 'langfuse.observation.cost_details', 'mlflow.llm.cost', 'mlflow.trace.cost', 'langfuse.observation.model.parameters', 'llm.invocation_parameters', 'model_parameters', 'gen_ai.request.parameters', 'hidden_params', 'litellm.hidden_params', 'langfuse.internal.is_app_root', 'langfuse.trace.name', 'mlflow.traceRequestId', 'logfire.span_type', 'logfire.msg', 'gen_ai.agent.call.id', 'traceloop.entity.name', 'traceloop.workflow.name', 'llm.is_streaming', 'metadata.user_api_key_hash'], [64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 128, 129, 130, 131, 192, 256, 257, 258, 259, 260, 320, 321, 322, 323, 324, 325, 326, 327, 328, 329, 330, 384, 385, 386, 387, 388, 389, 390, 391, 392, 393, 394, 395, 448, 449, 512, 513, 514, 515, 516, 517, 518, 519, 520, 576, 577, 578, 579, 580, 581, 582, 583, 584, 585, 586, 587, 588, 589, 590, 591, 592, 593, 594, 595, 596, 597, 598, 599, 600, 601, 602, 603, 604, 605, 606, 607, 608, 609, 610, 640, 641, 642, 643, 704, 705, 706, 707, 708, 709, 710, 768, 769, 770, 771, 772, 773, 832, 896, 897, 898, 899, 900, 960, 961, 962, 963, 964, 965, 966, 967, 968, 969, 970, 971, 972, 973, 974, 975, 976, 977, 978, 979, 980, 981, 982, 983, 1024, 1025, 1026, 1027, 1028, 1029, 1030, 1031, 1032, 1033, 1088, 1089, 1090, 1091, 1092, 1093, 1094, 1095, 1096, 1097, 1098, 1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1162, 1163, 1164, 1165, 1166, 1167, 1216, 1280, 1281, 1282, 1283, 1284, 1285, 1286, 1287, 1288, 1289, 1290, 1291, 1292, 1293, 1294, 1295, 1296, 1297, 1298, 1299, 1300, 1301, 1302, 1303, 1304, 1344, 1345, 1346, 1347, 1348, 1408, 1409, 1410, 1411, 1412, 1413, 1414, 1415, 1416, 1417, 1418, 1472, 1473, 1474, 1475, 1476, 1477, 1478, 1479, 1480, 1481, 1536, 1537, 1538, 1539, 1600, 1601, 1602, 1603, 1604, 1605, 1606, 1607, 1664, 1665, 1666, 1667, 1668, 1669, 1670, 1671, 1728, 1729, 1730, 1731, 1792, 1793, 1794, 1795, 1856, 1857, 1920, 1921, 1922, 1984, 1985, 2048, 2049, 2050, 2112, 2113, 2114, 2115, 2116, 2117, 2118, 2119, 2176, 2177, 2178, 2179, 2180, 2181, 2182, 2183, 2184, 2240, 2241, 2242, 2304, 2305, 2306, 2368, 2369, 2370, 2371, 2372, 2432, 2433, 2434, 2435, 2436, 2437, 2438, 2439, 2440, 2496, 2497, 2498, 2560, 2561, 2624, 2625, 2626, 2688, 2689, 2690, 2691, 2692, 2693, 2694, 2695, 2696, 2697, 2752, 2753, 2754, 2755, 2756, 2757, 2758, 2759, 2760, 2761, 2762, 2763, 2764, 2765, 2766, 2767, 2768, 2769, 2770, 2771, 2772, 2773, 2816, 2880, 2881, 2882, 2883, 2884, 2885, 2944, 2945, 2946, 2947, 2948, 2949, 3008, 3009, 3010, 3072, 3136, 3200, 3201, 3202, 3203, 3204, 3205, 3206, 3207, 3208, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31], 0),
                                                        coalesce(toInt64OrNull(p.2), accurateCastOrNull(toFloat64OrNull(p.2), 'Int64')),
                                                        p.2
                                                    ),
                                                    arrayFilter(p -> p.2 NOT IN ('', 'null'), arrayConcat(
                                                        of_columns,
                                                        arrayMap(
                                                            (k, v) -> (multiIf(NOT is_claude, toString(k), position(k, '.') > 0, toString(k), concat('claude_code#', k)), if(startsWith(v, '"'), JSONExtractString(v), v)),
                                                            keys, values
                                                        ),
                                                        arrayMap(
                                                            p -> (
                                                                replaceRegexpOne(lower(replaceRegexpAll(p.1, '([a-z0-9])([A-Z])', '\\1_\\2')), '^([a-z]+#)(?:(?:response|result|usage|usage_metadata|usage_info|token_usage|meta|openai|azure|anthropic|bedrock|google|vertex|xai|deepseek|openrouter)\\.)+', '\\1'),
                                                                if(startsWith(p.2, '"'), JSONExtractString(p.2), p.2)
                                                            ),
                                                            arrayFlatten(arrayMap(p -> multiIf(
    startsWith(p.2, '{'), arrayMap(q -> (concat(p.1, '.', q.1), q.2), JSONExtractKeysAndValuesRaw(p.2)),
    startsWith(p.2, '['), arrayMap(
        e -> (concat(p.1, '.', lower(concat(JSONExtractString(e, 'modality'), JSONExtractString(e, 'ttl')))),
            concat(JSONExtractRaw(e, 'tokenCount'), JSONExtractRaw(e, 'token_count'), JSONExtractRaw(e, 'inputTokens'))),
        JSONExtractArrayRaw(p.2)),
    [p]), arrayFlatten(arrayMap(p -> multiIf(
    startsWith(p.2, '{'), arrayMap(q -> (concat(p.1, '.', q.1), q.2), JSONExtractKeysAndValuesRaw(p.2)),
    startsWith(p.2, '['), arrayMap(
        e -> (concat(p.1, '.', lower(concat(JSONExtractString(e, 'modality'), JSONExtractString(e, 'ttl')))),
            concat(JSONExtractRaw(e, 'tokenCount'), JSONExtractRaw(e, 'token_count'), JSONExtractRaw(e, 'inputTokens'))),
        JSONExtractArrayRaw(p.2)),
    [p]), arrayFlatten(arrayMap(p -> multiIf(
    startsWith(p.2, '{'), arrayMap(q -> (concat(p.1, '.', q.1), q.2), JSONExtractKeysAndValuesRaw(p.2)),
    startsWith(p.2, '['), arrayMap(
        e -> (concat(p.1, '.', lower(concat(JSONExtractString(e, 'modality'), JSONExtractString(e, 'ttl')))),
            concat(JSONExtractRaw(e, 'tokenCount'), JSONExtractRaw(e, 'token_count'), JSONExtractRaw(e, 'inputTokens'))),
        JSONExtractArrayRaw(p.2)),
    [p]), arrayFlatten(arrayMap((shape, json) -> multiIf(shape = '', [], NOT startsWith(json, '{'), [], arrayMap(p -> (concat(shape, '#', p.1), p.2), JSONExtractKeysAndValuesRaw(json))), shapes, values))))))))
                                                        )
                                                    ))
                                                ) AS told
                                            FROM (
                                                SELECT
                                                    trace_id, span_id, scope_name, cityHash64(scope_name, service_name) AS teller, tollbook_kind, finish_reasons,
                                                    status_code = 'error' OR error_type != '' AS failed, region AS region_of_span, account AS account_of_span,
                                                    [('gen_ai.usage.input_tokens', ifNull(toString(input_tokens), '')), ('gen_ai.usage.output_tokens', ifNull(toString(output_tokens), '')), ('gen_ai.usage.cache_read.input_tokens', ifNull(toString(cache_read_tokens), '')), ('gen_ai.usage.cache_write.input_tokens', ifNull(toString(cache_write_tokens), '')), ('gen_ai.usage.reasoning.output_tokens', ifNull(toString(reasoning_tokens), '')), ('gen_ai.provider.name', toString(provider)), ('gen_ai.request.model', toString(request_model)), ('gen_ai.response.model', toString(response_model)), ('gen_ai.response.id', response_id), ('openai.response.service_tier', toString(service_tier)), ('gen_ai.operation.name', toString(operation)), ('framework.kind', toString(framework_kind))] AS of_columns,
                                                    startsWith(scope_name, 'com.anthropic.claude_code') OR match(s.told['span.type'], '^claude_code|^llm_request$|^interaction$') AS is_claude,
                                                    mapKeys(s.told) AS keys,
                                                    mapValues(s.told) AS values,
                                                    arrayMap(k -> transform(k, ['langfuse.observation.usage_details', 'gen_ai.usage.raw', 'gen_ai.usage', 'llm.usage', 'usage', 'usage_object', 'gen_ai.response.usage', 'ai.usage', 'mlflow.chat.tokenUsage', 'mlflow.trace.tokenUsage', 'ai.response.providerMetadata', 'gen_ai.response.provider_metadata', 'langfuse.observation.cost_details', 'mlflow.llm.cost', 'mlflow.trace.cost', 'langfuse.observation.model.parameters', 'llm.invocation_parameters', 'model_parameters', 'gen_ai.request.parameters', 'hidden_params', 'litellm.hidden_params'], ['usage', 'usage', 'usage', 'usage', 'usage', 'usage', 'usage', 'usage', 'mlflow', 'mlflow', 'metadata', 'metadata', 'cost', 'cost', 'cost', 'parameters', 'parameters', 'parameters', 'parameters', 'hidden', 'hidden'], ''), mapKeys(s.told)) AS shapes
                                                FROM work_spans AS s
                                                WHERE s.settlement = {settlement:UInt64} AND (
                                                    notEmpty(s.told) OR isNotNull(s.input_tokens) OR isNotNull(s.output_tokens) OR s.tollbook_kind = 'inference'
                                                    OR s.operation != '' OR s.framework_kind != ''
                                                ) AND NOT (
        empty(told)
        AND ifNull(input_tokens >= 0 AND input_tokens <= 10000000000, true)
        AND ifNull(cache_read_tokens >= 0 AND cache_read_tokens <= 10000000000, true)
        AND ifNull(cache_write_tokens >= 0 AND cache_write_tokens <= 10000000000, true)
        AND ifNull(output_tokens >= 0 AND output_tokens <= 10000000000, true)
        AND ifNull(reasoning_tokens >= 0 AND reasoning_tokens <= 10000000000, true)
        AND (ifNull(reasoning_tokens = 0, true) OR NOT (
            match(provider, '(?i)\\bx[-_.]?ai\\b|grok') OR match(request_model, '(?i)\\bx[-_.]?ai\\b|grok')
            OR match(response_model, '(?i)\\bx[-_.]?ai\\b|grok')
        ))
        AND NOT match(concat(scope_name, '$'), '^(?:mlflow|ai\\$|@ai\\-sdk/|openlit)')
        AND provider != 'null'
        AND request_model != 'null'
        AND response_model != 'null'
        AND response_id != 'null'
        AND service_tier != 'null'
        AND operation != 'null'
        AND framework_kind != 'null'
                                                )
                                            )
                                        )
                                    )
                                )
                            )
                            WHERE multiIf(
                                has(classes, 'none'), false,
                                arrayExists(c -> c < 33, concepts), true,
                                notEmpty(bad), true,
                                is_rollup, false,
                                tollbook_kind = 'inference', true,
                                hasAny(classes, ['call', 'embedding'])
                            )
                        )
                    )
                )
            )
        )
    )
)
SETTINGS short_circuit_function_evaluation = 'disable', max_block_size = 8192
