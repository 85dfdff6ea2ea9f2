-- Which spans tell of a model call, and how many tokens of each kind do they tell of?
-- The buckets exclude each other. Cache reads and writes are part of the input by OpenTelemetry's rule; where they exceed it, the sender
-- counts them apart. Reasoning is part of the output in the same way.
INSERT INTO work_calls
WITH
    operation IN ('invoke_agent', 'agent_step', 'invoke_workflow', 'handle_conversation_turn', 'create_agent', 'plan')
        OR framework_kind IN ('AGENT', 'CHAIN', 'WORKFLOW', 'TASK', 'TOOL', 'RETRIEVER', 'GUARDRAIL', 'EVALUATOR', 'PROMPT')
        AS is_rollup,
    operation IN ('execute_tool', 'fetch_response') AS is_no_call,
    isNotNull(s.input_tokens) OR isNotNull(s.output_tokens) AS tells_usage,
    operation IN (
        'chat', 'text_completion', 'completion', 'generate_content', 'embeddings', 'embedding', 'embed', 'rerank', 'responses', 'message'
    ) OR framework_kind IN ('LLM', 'EMBEDDING', 'RERANKER') OR tollbook_kind = 'inference' AS is_inference,
    ifNull(s.cache_read_tokens, 0) + ifNull(s.cache_write_tokens, 0) AS cache_tokens,
    cache_tokens > ifNull(s.input_tokens, 0) AS counts_cache_apart,
    ifNull(s.reasoning_tokens, 0) > ifNull(s.output_tokens, 0) AS counts_reasoning_apart
SELECT
    {settlement:UInt64} AS settlement,
    trace_id,
    span_id,
    response_id,
    if(is_rollup, 'rollup', 'leaf') AS call_class,
    operation IN ('embeddings', 'embedding', 'embed') OR framework_kind = 'EMBEDDING' AS embedding,
    arrayDistinct(arrayMap(
        m -> lower(splitByChar('/', m)[-1]), arrayFilter(m -> m != '', [toString(request_model), toString(response_model)])
    )) AS models,
    ifNull(s.input_tokens, 0) + ifNull(s.output_tokens, 0) + cache_tokens > 0 AS has_usage,
    toInt16(isNotNull(s.input_tokens)) + toInt16(isNotNull(s.output_tokens)) + toInt16(isNotNull(s.cache_read_tokens))
        + toInt16(isNotNull(s.cache_write_tokens)) + toInt16(isNotNull(s.reasoning_tokens)) + toInt16(notEmpty(models)) AS usage_score,
    if(counts_cache_apart, s.input_tokens, s.input_tokens - cache_tokens) AS fresh_tokens,
    s.cache_read_tokens AS cache_read_tokens,
    s.cache_write_tokens AS cache_write_tokens,
    if(counts_reasoning_apart, s.output_tokens, s.output_tokens - ifNull(s.reasoning_tokens, 0)) AS output_tokens,
    s.reasoning_tokens AS reasoning_tokens,
    ifNull(s.input_tokens, 0) + if(counts_cache_apart, cache_tokens, 0) AS total_input_tokens,
    arrayFilter(note -> note != '', [
        if(counts_cache_apart AND isNotNull(s.input_tokens), 'cache tokens exceed the input: read as counted apart', ''),
        if(counts_reasoning_apart AND isNotNull(s.output_tokens), 'reasoning tokens exceed the output: read as counted apart', '')
    ]) AS notes
FROM work_spans AS s
WHERE s.settlement = {settlement:UInt64} AND NOT is_no_call AND (tells_usage OR (is_inference AND NOT is_rollup))
