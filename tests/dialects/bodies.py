"""Bodies of providers told whole, in lists or under names of their own, and what each comes to. One trace is one case."""

import json

from tests.attribution.facts import MS, S, Span
from tests.dialects.others import CLAUDE, GEMINI, IN, OPENAI, OUT, Case, body, told


def names(provider: str, model: str, operation: str = "chat") -> dict[str, str]:
    """What a span says of a call besides its usage."""
    return {"gen_ai.operation.name": operation, "gen_ai.provider.name": provider, "gen_ai.request.model": model}


SDK = "com.anthropic.sdk.python"
CACHED = {"input": 100, "cache_read": 1000, "cache_write": 150, "cache_write_1h": 50, "output": 50}
"""What Anthropic's own SDK tells below."""


CLAUDE_SDK = {
    **CLAUDE,
    IN: 1300,
    OUT: 50,
    "gen_ai.usage.cache_write.input_tokens": 200,
    "gen_ai.usage.cache_read.input_tokens": 1000,
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": 150,
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": 50,
    "anthropic.response.service_tier": "standard",
    "gen_ai.response.id": "msg_of_the_sdk",
}
CLAUDE_BODY = {
    "input_tokens": 100,
    "cache_creation_input_tokens": 200,
    "cache_read_input_tokens": 1000,
    "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 50},
    "output_tokens": 50,
}
LANGCHAIN = {
    "openinference.span.kind": "LLM",
    "llm.provider": "anthropic",
    "llm.model_name": "claude-sonnet-4-5",
    "llm.token_count.prompt": 1300,
    "llm.token_count.completion": 50,
    "llm.token_count.prompt_details.cache_read": 1000,
    "llm.token_count.prompt_details.cache_write": 200,
}


BODIES: dict[str, Case] = {
    "Anthropic's own SDK tells of both lifetimes": Case(
        (told(CLAUDE_SDK, SDK),), CACHED, "anthropic/claude-sonnet-4-5", {"cost_usd": "0.0022125"}
    ),
    "LangChain's callback beside Anthropic's own SDK": Case(
        (
            Span(0, 1, name="POST /ask", duration_ns=9 * S),
            Span(0, 2, 1, scope="openinference.instrumentation.langchain", attributes={"openinference.span.kind": "CHAIN"}),
            Span(0, 3, 2, scope="openinference.instrumentation.langchain", attributes=LANGCHAIN),
            Span(0, 4, 1, scope=SDK, start_ns=MS, duration_ns=S // 2, attributes=CLAUDE_SDK),
        ),
        CACHED,
        more={"cost_usd": "0.0022125"},
    ),
    "Logfire's halves of a stream around Anthropic's own SDK": Case(
        (
            Span(0, 1, name="POST /ask", duration_ns=9 * S),
            Span(0, 2, 1, name="Message with 'claude-sonnet-4-5'", scope="logfire.anthropic", duration_ns=MS, attributes=CLAUDE),
            Span(0, 3, 2, scope=SDK, start_ns=MS // 2, duration_ns=S // 2, attributes=CLAUDE_SDK),
            Span(
                0,
                4,
                1,
                name="streaming response from 'claude-sonnet-4-5' took 0.50s",
                scope="logfire.anthropic",
                start_ns=S // 2 + 2 * MS,
                duration_ns=0,
                attributes={**CLAUDE, IN: 1300, OUT: 50, "gen_ai.usage.raw": json.dumps(CLAUDE_BODY)},
            ),
        ),
        CACHED,
    ),
    "Anthropic: a message around its usage": Case(
        (body({"type": "succeeded", "message": {"id": "m", "usage": {"input_tokens": 100, "output_tokens": 50}}}, CLAUDE),),
        {"input": 100, "output": 50},
    ),
    "Perplexity: what it cites is paid as input, its thoughts are beside the output": Case(
        (
            body(
                {
                    "prompt_tokens": 33,
                    "completion_tokens": 7163,
                    "total_tokens": 7196,
                    "citation_tokens": 20016,
                    "reasoning_tokens": 73999,
                    "num_search_queries": 18,
                },
                names("perplexity", "sonar-deep-research"),
            ),
        ),
        {"input": 20049, "output": 7163, "reasoning": 73999, "web_search": 18},
        "perplexity/sonar-deep-research",
        {"cost_usd": "0.409399"},
    ),
    "Perplexity: few thoughts are beside the output too": Case(
        (
            body(
                {
                    "prompt_tokens": 33,
                    "completion_tokens": 7163,
                    "total_tokens": 7196,
                    "citation_tokens": 16,
                    "reasoning_tokens": 99,
                },
                names("perplexity", "sonar-deep-research"),
            ),
        ),
        {"input": 49, "output": 7163, "reasoning": 99},
    ),
    "Gemini's live answers are speech": Case(
        (
            body(
                {
                    "promptTokenCount": 100,
                    "responseTokenCount": 50,
                    "totalTokenCount": 150,
                    "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 100}],
                    "responseTokensDetails": [{"modality": "AUDIO", "tokenCount": 40}, {"modality": "TEXT", "tokenCount": 10}],
                },
                GEMINI,
            ),
        ),
        {"input": 100, "output": 10, "output_audio": 40},
    ),
    "watsonx: an answer in a list": Case(
        (
            body(
                {
                    "results": [
                        {"generated_text": "x", "generated_token_count": 20, "input_token_count": 12, "stop_reason": "eos"}
                    ]
                },
                names("watsonx", "ibm/granite-13b"),
            ),
        ),
        {"input": 12, "output": 20},
    ),
    "Titan on Bedrock: an answer in a list": Case(
        (
            body(
                {"inputTextTokenCount": 100, "results": [{"tokenCount": 50, "outputText": "x", "completionReason": "FINISH"}]},
                names("aws.bedrock", "amazon.titan-text-express-v1"),
            ),
        ),
        {"input": 100, "output": 50},
        "aws/amazon.titan-text-express-v1",
    ),
    "Bedrock: the figures at the end of a stream": Case(
        (
            body(
                {"amazon-bedrock-invocationMetrics": {"inputTokenCount": 100, "outputTokenCount": 50, "invocationLatency": 1}},
                names("aws.bedrock", "amazon.nova-pro-v1:0"),
            ),
        ),
        {"input": 100, "output": 50},
        "aws/amazon.nova-pro-v1:0",
    ),
    "Replicate: a whole prediction": Case(
        (
            body(
                {"status": "succeeded", "metrics": {"input_token_count": 12, "output_token_count": 20, "predict_time": 1.2}},
                names("replicate", "meta/meta-llama-3-8b-instruct"),
            ),
        ),
        {"input": 12, "output": 20},
    ),
    "SGLang's own answers": Case(
        (body({"meta_info": {"prompt_tokens": 26, "completion_tokens": 9, "cached_tokens": 10}}, names("sglang", "x")),),
        {"input": 16, "cache_read": 10, "output": 9},
    ),
    "speech of a model whose price of speech nobody knows is priced as text, and says so": Case(
        (
            body(
                {
                    "prompt_tokens": 100,
                    "completion_tokens": 10,
                    "prompt_tokens_details": {"audio_tokens": 60},
                    "completion_tokens_details": {"audio_tokens": 4},
                },
                names("openai", "gpt-4o-audio-preview"),
            ),
        ),
        {"input": 40, "input_audio": 60, "output": 6, "output_audio": 4},
        "openai/gpt-4o-audio-preview",
        {
            "cost_usd": "0.00035",
            "flags": ["priced_as_text"],
            "reason": "input_audio, output_audio without a price of its own: priced as text",
        },
    ),
    "Mistral: seconds of speech beside the prompt": Case(
        (
            body(
                {"prompt_audio_seconds": 25, "prompt_tokens": 4, "completion_tokens": 30, "total_tokens": 34},
                names("mistral_ai", "voxtral-mini-latest"),
            ),
        ),
        {"input": 4, "audio_second": 25, "output": 30},
    ),
    "Mistral's own SDK reads pages": Case(
        (told({**names("mistral_ai", "mistral-ocr-latest"), "mistral_ai.ocr.usage.pages_processed": 29}),), {"page": 29}
    ),
    "Cohere: pictures that are embedded": Case(
        (body({"billed_units": {"images": 2}}, names("cohere", "embed-v4.0", "embeddings")),), {"image": 2}
    ),
    "Vertex: tokens of an embedding": Case(
        (
            body(
                {"statistics": {"token_count": 6, "truncated": False}}, names("gcp.vertex_ai", "text-embedding-005", "embeddings")
            ),
        ),
        {"input": 6},
    ),
    "Jina: a total is all that a reranker tells": Case(
        (body({"total_tokens": 815}, names("jina", "jina-reranker-v2-base-multilingual", "rerank")),), {"input": 815}
    ),
    "Semantic Kernel: one reason to finish": Case(
        (told({**OPENAI, IN: 12, OUT: 7, "gen_ai.response.finish_reason": "FinishReason.LENGTH"}),),
        {"input": 12, "output": 7},
        more={"waste": "truncated"},
    ),
    "counts with blanks": Case((told({**OPENAI, IN: " 12 ", OUT: "7"}),), {"input": 12, "output": 7}, "openai/gpt-4o"),
}
