-- Which spans tell of a model call in OpenTelemetry's own words and nothing else, and what did it use? Most do.
-- Trace by trace.
-- Generated from registry/dialects.yaml by `make generate`. What `20_usage` works out with arrays for every spelling there is, is a few sums
-- for these: columns hold all they tell, the input holds the cached tokens, the output the reasoning. It takes a sixth of the CPU.
INSERT INTO work_calls (
    settlement, trace_id, span_id, teller, response_id, dialect, call_class, embedding, provider, request_model, response_model, models,
    has_usage, usage_score, buckets, cache_told, total_input_tokens, flags, notes, provider_cost, provider_currency, failed, finish_reasons,
    local_cache_hit, batch, service_tier, region, account, fresh_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
    start_time, location, account_of_span
)
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    teller,
    response_id,
    multiIf(
        of_scope != '', of_scope,
        counts > 0 OR provider != '' OR request_model != '' OR response_model != '' OR response_id != '' OR service_tier != '' OR operation != ''
        OR framework_kind != '', 'gen_ai',
        ''
    ) AS dialect,
    if(operation_class = 'rollup' OR framework_class = 'rollup', 'rollup', 'leaf') AS call_class,
    embedding,
    provider,
    request_model,
    response_model,
    arrayDistinct(arrayFilter(
        (m, named) -> named,
        [toString(replaceRegexpOne(lower(request_model), '(?s)^.*/', '')), toString(replaceRegexpOne(lower(response_model), '(?s)^.*/', ''))],
        [request_model != '', response_model != '']
    )) AS models,
    notEmpty(buckets) AS has_usage,
    toInt16(counts + (request_model != '' OR response_model != '')) AS usage_score,
    CAST(mapFilter((k, v) -> v > 0, map(
        'input', all_input - cached, 'cache_read', cache_read, 'cache_write', cache_write, 'output', visible, 'reasoning', reasoning
    )), 'Map(LowCardinality(String), Int64)') AS buckets,
    isNotNull(cache_read_told) AS cache_told,
    all_input AS total_input_tokens,
    arrayFilter(flag -> flag != '', [
        if(cache_apart, 'cache_counted_apart', ''),
        if(reasoning_apart, 'reasoning_counted_apart', ''),
        if(isNull(cache_read_told) AND NOT embedding AND all_input >= 1024, 'cache_share_unknown', '')
    ]) AS flags,
    arrayFilter(note -> note != '', [
        if(cache_apart, 'cache tokens exceed the input: read as counted apart', ''),
        if(reasoning_apart, 'reasoning tokens exceed the output: read as counted apart', '')
    ]) AS notes,
    CAST(NULL, 'Nullable(Decimal(38, 18))') AS provider_cost,
    'USD' AS provider_currency,
    failed,
    finish_reasons,
    false AS local_cache_hit,
    lower(service_tier) = 'batch' AS batch,
    lower(service_tier) AS service_tier,
    region,
    account,
    if(isNotNull(input_told) OR all_input > 0, all_input - cached, NULL) AS fresh_tokens,
    cache_read_told AS cache_read_tokens,
    cache_write_told AS cache_write_tokens,
    if(isNotNull(output_told), visible, NULL) AS output_tokens,
    reasoning_told AS reasoning_tokens,
    start_time,
    location,
    account AS account_of_span
FROM (
    SELECT
        trace_id, span_id, start_time, location, response_id, provider, request_model, response_model, service_tier, operation, framework_kind, tollbook_kind, finish_reasons, region,
        account,
        cityHash64(scope_name, service_name) AS teller,
        status_code = 'error' OR error_type != '' AS failed,
        input_tokens AS input_told,
        cache_read_tokens AS cache_read_told,
        cache_write_tokens AS cache_write_told,
        output_tokens AS output_told,
        reasoning_tokens AS reasoning_told,
        ifNull(cache_read_tokens, 0) AS cache_read,
        ifNull(cache_write_tokens, 0) AS cache_write,
        cache_read + cache_write AS cached,
        ifNull(reasoning_tokens, 0) AS reasoning,
        ifNull(cached > input_tokens, false) AS cache_apart,
        if(isNull(input_tokens), cached, assumeNotNull(input_tokens) + if(cache_apart, cached, 0)) AS all_input,
        ifNull(reasoning > output_tokens, false) AS reasoning_apart,
        if(isNull(output_tokens), 0, assumeNotNull(output_tokens) - if(reasoning_apart, 0, reasoning)) AS visible,
        isNotNull(input_tokens) + isNotNull(cache_read_tokens) + isNotNull(cache_write_tokens) + isNotNull(output_tokens) + isNotNull(reasoning_tokens) AS counts,
        transform(
            extract(concat(scope_name, '$'), '^(?:com\\.anthropic\\.claude_code|langfuse\\-sdk\\$|langfuse\\$|mlflow|ai\\$|@ai\\-sdk/|logfire|pydantic\\-ai\\$|openinference\\.|@arizeai/openinference|litellm|openlit|strands\\.telemetry|traceloop|@traceloop/|opentelemetry\\.instrumentation\\.openai\\$|opentelemetry\\.instrumentation\\.openai\\.|opentelemetry\\.instrumentation\\.anthropic\\$|opentelemetry\\.instrumentation\\.bedrock\\$|opentelemetry\\.instrumentation\\.cohere\\$|opentelemetry\\.instrumentation\\.mistralai\\$|opentelemetry\\.instrumentation\\.groq\\$|opentelemetry\\.instrumentation\\.langchain\\$|opentelemetry\\.instrumentation\\.llamaindex\\$|gcp\\.vertex\\.agent\\$|haystack|codex|langsmith|vllm|sglang|opentelemetry\\.instrumentation\\.|opentelemetry\\.util\\.genai|tollbook)'), ['com.anthropic.claude_code', 'langfuse-sdk$', 'langfuse$', 'mlflow', 'ai$', '@ai-sdk/', 'logfire', 'pydantic-ai$', 'openinference.', '@arizeai/openinference', 'litellm', 'openlit', 'strands.telemetry', 'traceloop', '@traceloop/', 'opentelemetry.instrumentation.openai$', 'opentelemetry.instrumentation.openai.', 'opentelemetry.instrumentation.anthropic$', 'opentelemetry.instrumentation.bedrock$', 'opentelemetry.instrumentation.cohere$', 'opentelemetry.instrumentation.mistralai$', 'opentelemetry.instrumentation.groq$', 'opentelemetry.instrumentation.langchain$', 'opentelemetry.instrumentation.llamaindex$', 'gcp.vertex.agent$', 'haystack', 'codex', 'langsmith', 'vllm', 'sglang', 'opentelemetry.instrumentation.', 'opentelemetry.util.genai', 'tollbook'], ['claude_code', 'langfuse', 'langfuse', 'mlflow', 'vercel', 'vercel', 'logfire', 'logfire', 'openinference', 'openinference', 'litellm', 'openlit', 'strands', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'traceloop', 'google_adk', 'haystack', 'codex', 'langsmith', 'vllm', 'sglang', 'gen_ai', 'gen_ai', 'gen_ai'], '' -- noqa: LT05
        ) AS of_scope,
        transform(lower(operation), ['chat', 'model', 'text_completion', 'completion', 'completions', 'chat_completion', 'chat.completion', 'chat.completions', 'chat_completions', 'text.completions', 'chat.streaming_completions', 'text.streaming_completions', 'generate_content', 'responses', 'message', 'messages', 'llm', 'ai_client', 'realtime', 'chat_model', 'generation', 'llm_request', 'claude_code.llm_request', 'ai.generatetext.dogenerate', 'ai.streamtext.dostream', 'ai.generateobject.dogenerate', 'ai.streamobject.dostream', 'image_generation', 'generate_image', 'video_generation', 'generate_video', 'speech', 'text_to_speech', 'tts', 'transcription', 'speech_to_text', 'stt', 'translation', 'audio', 'embeddings', 'embedding', 'embed', 'embedder', 'ai.embed.doembed', 'ai.embedmany.doembed', 'rerank', 'reranker', 'ai.rerank.dorerank', 'invoke_agent', 'flow', 'agent_step', 'invoke_workflow', 'handle_conversation_turn', 'create_agent', 'plan', 'agent', 'chain', 'workflow', 'task', 'tool', 'retriever', 'retrieval', 'guardrail', 'evaluator', 'prompt', 'parser', 'span', 'event', 'memory', 'interaction', 'conversation', 'run', 'session', 'step', 'entry', 'handoff', 'framework', 'orchestrate_tools', 'process_thread_run', 'claude_code.interaction', 'ai.generatetext', 'ai.streamtext', 'ai.generateobject', 'ai.streamobject', 'ai.embed', 'ai.embedmany', 'ai.rerank', 'execute_tool', 'fetch_response', 'count_tokens', 'ai.toolcall'], ['call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'none', 'none', 'none', 'none'], '') AS operation_class, -- noqa: LT05
        transform(lower(framework_kind), ['chat', 'model', 'text_completion', 'completion', 'completions', 'chat_completion', 'chat.completion', 'chat.completions', 'chat_completions', 'text.completions', 'chat.streaming_completions', 'text.streaming_completions', 'generate_content', 'responses', 'message', 'messages', 'llm', 'ai_client', 'realtime', 'chat_model', 'generation', 'llm_request', 'claude_code.llm_request', 'ai.generatetext.dogenerate', 'ai.streamtext.dostream', 'ai.generateobject.dogenerate', 'ai.streamobject.dostream', 'image_generation', 'generate_image', 'video_generation', 'generate_video', 'speech', 'text_to_speech', 'tts', 'transcription', 'speech_to_text', 'stt', 'translation', 'audio', 'embeddings', 'embedding', 'embed', 'embedder', 'ai.embed.doembed', 'ai.embedmany.doembed', 'rerank', 'reranker', 'ai.rerank.dorerank', 'invoke_agent', 'flow', 'agent_step', 'invoke_workflow', 'handle_conversation_turn', 'create_agent', 'plan', 'agent', 'chain', 'workflow', 'task', 'tool', 'retriever', 'retrieval', 'guardrail', 'evaluator', 'prompt', 'parser', 'span', 'event', 'memory', 'interaction', 'conversation', 'run', 'session', 'step', 'entry', 'handoff', 'framework', 'orchestrate_tools', 'process_thread_run', 'claude_code.interaction', 'ai.generatetext', 'ai.streamtext', 'ai.generateobject', 'ai.streamobject', 'ai.embed', 'ai.embedmany', 'ai.rerank', 'execute_tool', 'fetch_response', 'count_tokens', 'ai.toolcall'], ['call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'call', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'embedding', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'rollup', 'none', 'none', 'none', 'none'], '') AS framework_class, -- noqa: LT05
        operation_class = 'embedding' OR framework_class = 'embedding' AS embedding
    FROM work_spans
    WHERE settlement = {settlement:UInt64} AND (
        isNotNull(input_tokens) OR isNotNull(output_tokens) OR tollbook_kind = 'inference' OR operation != '' OR framework_kind != ''
    ) AND empty(told)
        AND ifNull(input_tokens >= 0 AND input_tokens <= 10000000000, true)
        AND ifNull(cache_read_tokens >= 0 AND cache_read_tokens <= 10000000000, true)
        AND ifNull(cache_write_tokens >= 0 AND cache_write_tokens <= 10000000000, true)
        AND ifNull(output_tokens >= 0 AND output_tokens <= 10000000000, true)
        AND ifNull(reasoning_tokens >= 0 AND reasoning_tokens <= 10000000000, true)
        AND (ifNull(reasoning_tokens = 0, true) OR NOT (
            match(provider, '(?i)\\bx[-_.]?ai\\b|grok|perplexity|^sonar') OR match(request_model, '(?i)\\bx[-_.]?ai\\b|grok|perplexity|^sonar')
            OR match(response_model, '(?i)\\bx[-_.]?ai\\b|grok|perplexity|^sonar')
        ))
        AND NOT match(concat(scope_name, '$'), '^(?:mlflow|ai\\$|@ai\\-sdk/|openlit|strands\\.telemetry|vllm|sglang)')
        AND provider != 'null'
        AND request_model != 'null'
        AND response_model != 'null'
        AND response_id != 'null'
        AND service_tier != 'null'
        AND operation != 'null'
        AND framework_kind != 'null'
)
WHERE operation_class != 'none' AND framework_class != 'none' AND (
    counts > 0
    OR (operation_class != 'rollup' AND framework_class != 'rollup' AND (
        tollbook_kind = 'inference' OR operation_class IN ('call', 'embedding') OR framework_class IN ('call', 'embedding')
    ))
)
SETTINGS short_circuit_function_evaluation = 'disable'
