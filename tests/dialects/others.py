"""Calls as SDKs, gateways and servers of others tell of them, and what each comes to. One trace is one case."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.attribution.facts import S, Span

IN, OUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
OPENAI = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o"}
CLAUDE = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
GEMINI = {"gen_ai.operation.name": "chat", "gen_ai.provider.name": "gcp.gemini", "gen_ai.request.model": "gemini-2.5-flash"}
BEDROCK_CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


@dataclass(frozen=True)
class Case:
    """Spans of one trace, and the one call that counts."""

    spans: tuple[Span, ...]
    buckets: Mapping[str, int]
    price: str = ""
    """Whose price it has, of which model; empty where that is not what the case is about."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Other columns of the call."""


def told(attributes: Mapping[str, Any], scope: str = "theirs", **more: Any) -> Span:
    """A span of its own."""
    return Span(0, 1, scope=scope, attributes=attributes, **more)


def body(usage: Mapping[str, Any], names: Mapping[str, Any] = OPENAI, key: str = "gen_ai.usage.raw") -> Span:
    """A provider's own words as JSON."""
    return told({**names, key: json.dumps(usage)})


CASES: dict[str, Case] = {
    # SDKs and frameworks
    "Google's ADK: thoughts beside the output": Case(
        (
            told(
                {
                    "gen_ai.system": "gcp.vertex.agent",
                    "gen_ai.request.model": "gemini-2.5-flash",
                    IN: 106,
                    OUT: 60,
                    "gen_ai.usage.experimental.reasoning_tokens": 46,
                },
                "gcp.vertex.agent",
            ),
        ),
        {"input": 106, "output": 60, "reasoning": 46},
        "google/gemini-2.5-flash",
    ),
    "Google's ADK: the answer as JSON tells of the cache": Case(
        (
            told(
                {
                    "gen_ai.system": "gcp.vertex.agent",
                    "gen_ai.request.model": "gemini-2.5-flash",
                    IN: 1000,
                    OUT: 50,
                    "gcp.vertex.agent.llm_response": json.dumps(
                        {
                            "content": {"parts": [{"text": "usage"}], "role": "model"},
                            "usage_metadata": {
                                "prompt_token_count": 1000,
                                "candidates_token_count": 50,
                                "thoughts_token_count": 30,
                                "cached_content_token_count": 800,
                                "total_token_count": 1080,
                            },
                        }
                    ),
                },
                "gcp.vertex.agent",
            ),
        ),
        {"input": 200, "cache_read": 800, "output": 50, "reasoning": 30},
    ),
    "Strands on Bedrock: the cache beside the input, an agent that sums up": Case(
        (
            Span(
                0,
                1,
                scope="strands.telemetry.tracer",
                duration_ns=9 * S,
                attributes={
                    "gen_ai.operation.name": "invoke_agent",
                    "gen_ai.system": "strands-agents",
                    "gen_ai.request.model": BEDROCK_CLAUDE,
                    IN: 100,
                    OUT: 10,
                    "gen_ai.usage.total_tokens": 110,
                },
            ),
            Span(
                0,
                2,
                1,
                scope="strands.telemetry.tracer",
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.system": "strands-agents",
                    "gen_ai.request.model": BEDROCK_CLAUDE,
                    "gen_ai.usage.prompt_tokens": 100,
                    IN: 100,
                    "gen_ai.usage.completion_tokens": 10,
                    OUT: 10,
                    "gen_ai.usage.total_tokens": 110,
                    "gen_ai.usage.cache_read_input_tokens": 50,
                    "gen_ai.usage.cache_write_input_tokens": 20,
                },
            ),
        ),
        {"input": 100, "cache_read": 50, "cache_write": 20, "output": 10},
        "aws/regional.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ),
    "Strands since 1.54: the cache in the input": Case(
        (
            told(
                CLAUDE
                | {
                    "gen_ai.system": "strands-agents",
                    "gen_ai.usage.prompt_tokens": 810,
                    IN: 810,
                    OUT: 40,
                    "gen_ai.usage.total_tokens": 850,
                    "gen_ai.usage.cache_read.input_tokens": 500,
                    "gen_ai.usage.cache_read_input_tokens": 500,
                    "gen_ai.usage.cache_creation.input_tokens": 300,
                    "gen_ai.usage.cache_write_input_tokens": 300,
                },
                "strands.telemetry.tracer",
            ),
        ),
        {"input": 10, "cache_read": 500, "cache_write": 300, "output": 40},
    ),
    "Strands since 1.54: the cache only read": Case(
        (
            told(
                CLAUDE | {IN: 184, OUT: 15, "gen_ai.usage.total_tokens": 199, "gen_ai.usage.cache_read_input_tokens": 64},
                "strands.telemetry.tracer",
            ),
        ),
        {"input": 120, "cache_read": 64, "output": 15},
    ),
    "MLflow since 3.13: the cache in the input": Case(
        (
            told(
                {
                    "mlflow.spanType": '"CHAT_MODEL"',
                    "mlflow.spanLogLevel": "20",
                    "mlflow.llm.provider": '"anthropic"',
                    "mlflow.llm.model": '"claude-sonnet-4-5"',
                    "mlflow.chat.tokenUsage": json.dumps(
                        {
                            "input_tokens": 810,
                            "output_tokens": 40,
                            "total_tokens": 850,
                            "cache_read_input_tokens": 500,
                            "cache_creation_input_tokens": 300,
                            "cache_creation_input_tokens_above_1hr": 200,
                        }
                    ),
                },
                "mlflow.tracing.provider",
            ),
        ),
        {"input": 10, "cache_read": 500, "cache_write": 100, "cache_write_1h": 200, "output": 40},
    ),
    "MLflow: the answer says more than its summary, and what wraps the call says it again": Case(
        (
            Span(
                0,
                1,
                scope="mlflow.tracing.provider",
                duration_ns=9 * S,
                attributes={
                    "mlflow.spanType": '"UNKNOWN"',
                    "mlflow.spanOutputs": json.dumps(
                        {"id": "r1", "usage_metadata": {"prompt_token_count": 60, "candidates_token_count": 44}}
                    ),
                },
            ),
            Span(
                0,
                2,
                1,
                scope="mlflow.tracing.provider",
                attributes={
                    "mlflow.spanType": '"LLM"',
                    "mlflow.llm.provider": '"gemini"',
                    "mlflow.llm.model": '"gemini-2.5-flash"',
                    "mlflow.chat.tokenUsage": json.dumps({"input_tokens": 60, "output_tokens": 44, "total_tokens": 360}),
                    "mlflow.spanOutputs": json.dumps(
                        {
                            "response_id": "r1",
                            "usage_metadata": {
                                "prompt_token_count": 60,
                                "candidates_token_count": 44,
                                "thoughts_token_count": 256,
                            },
                        }
                    ),
                },
            ),
        ),
        {"input": 60, "output": 44, "reasoning": 256},
        "google/gemini-2.5-flash",
    ),
    "MLflow: an embedding without a summary": Case(
        (
            told(
                {
                    "mlflow.spanType": '"EMBEDDING"',
                    "mlflow.llm.provider": '"openai"',
                    "mlflow.llm.model": '"text-embedding-3-small"',
                    "mlflow.spanOutputs": json.dumps(
                        {"data": [{"embedding": [0.1]}], "usage": {"prompt_tokens": 8, "total_tokens": 8}}
                    ),
                },
                "mlflow.tracing.provider",
            ),
        ),
        {"input": 8},
        "openai/text-embedding-3-small",
    ),
    "Haystack: a generator's reply within its pipeline": Case(
        (
            Span(0, 1, scope="mine", duration_ns=9 * S, attributes={"haystack.pipeline.output_data": json.dumps({"llm": {}})}),
            Span(
                0,
                2,
                1,
                scope="mine",
                attributes={
                    "haystack.component.type": "OpenAIChatGenerator",
                    "haystack.component.output": json.dumps(
                        {
                            "replies": [
                                {
                                    "role": "assistant",
                                    "meta": {
                                        "model": "gpt-4o",
                                        "usage": {
                                            "prompt_tokens": 1000,
                                            "completion_tokens": 50,
                                            "prompt_tokens_details": {"cached_tokens": 800, "audio_tokens": 0},
                                        },
                                    },
                                }
                            ]
                        }
                    ),
                },
            ),
            Span(
                0,
                3,
                1,
                scope="mine",
                attributes={
                    "haystack.component.type": "ConditionalRouter",
                    "haystack.component.output": json.dumps({"replies": [{"meta": {"usage": {"prompt_tokens": 1000}}}]}),
                },
            ),
        ),
        {"input": 200, "cache_read": 800, "output": 50},
        "openai/gpt-4o",
    ),
    "Haystack: an embedder": Case(
        (
            told(
                {
                    "haystack.component.type": "OpenAITextEmbedder",
                    "haystack.component.output": json.dumps(
                        {
                            "embedding": [0.1, 0.2],
                            "meta": {"model": "text-embedding-3-small", "usage": {"prompt_tokens": 8, "total_tokens": 8}},
                        }
                    ),
                }
            ),
        ),
        {"input": 8},
        "openai/text-embedding-3-small",
    ),
    "OpenLIT: Gemini's thoughts beside the output": Case(
        (
            told(
                GEMINI | {IN: 1000, OUT: 50, "gen_ai.usage.reasoning_tokens": 30, "gen_ai.usage.cache_read.input_tokens": 700},
                "openlit.instrumentation.google_ai_studio",
            ),
        ),
        {"input": 300, "cache_read": 700, "output": 50, "reasoning": 30},
    ),
    "LiteLLM: the usage as Python writes it, with the cache's lifetimes": Case(
        (
            told(
                {
                    "gen_ai.operation.name": "chat",
                    "gen_ai.system": "anthropic",
                    "gen_ai.request.model": "claude-sonnet-4-5",
                    IN: 810,
                    OUT: 40,
                    "gen_ai.usage.total_tokens": 850,
                    "metadata.usage_object": str(
                        {
                            "completion_tokens": 40,
                            "prompt_tokens": 810,
                            "total_tokens": 850,
                            "prompt_tokens_details": {
                                "audio_tokens": None,
                                "cached_tokens": 500,
                                "cache_creation_tokens": 300,
                                "cache_creation_token_details": {
                                    "ephemeral_5m_input_tokens": 100,
                                    "ephemeral_1h_input_tokens": 200,
                                },
                            },
                            "cache_creation_input_tokens": 300,
                            "cache_read_input_tokens": 500,
                        }
                    ),
                },
                "litellm",
            ),
        ),
        {"input": 10, "cache_read": 500, "cache_write": 100, "cache_write_1h": 200, "output": 40},
        "anthropic/claude-sonnet-4-5",
    ),
    "LiteLLM: its cost under a name of its own": Case(
        (told(OPENAI | {IN: 100, OUT: 20, "litellm.cost.total": 0.00055}, "litellm"),),
        {"input": 100, "output": 20},
        "",
        {"cost_usd": "0.00055"},
    ),
    "LangSmith: parts of a body as JSON": Case(
        (
            told(
                {
                    "langsmith.span.kind": "llm",
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    IN: 25,
                    OUT: 7,
                    "gen_ai.usage.total_tokens": 32,
                    "gen_ai.usage.input_token_details": json.dumps({"cache_read": 10, "audio": 0}),
                    "gen_ai.usage.output_token_details": json.dumps({"reasoning": 2}),
                },
                "langsmith",
            ),
        ),
        {"input": 15, "cache_read": 10, "output": 5, "reasoning": 2},
        "openai/gpt-4o",
    ),
    ".NET: kinds of tokens of a realtime session": Case(
        (
            told(
                {
                    "gen_ai.operation.name": "realtime",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o-realtime-preview",
                    IN: 100,
                    OUT: 50,
                    "gen_ai.usage.input_audio_tokens": 80,
                    "gen_ai.usage.input_text_tokens": 20,
                    "gen_ai.usage.output_audio_tokens": 40,
                    "gen_ai.usage.output_text_tokens": 10,
                },
                "Experimental.Microsoft.Extensions.AI",
            ),
        ),
        {"input": 20, "input_audio": 80, "output": 10, "output_audio": 40},
    ),
    "Semantic Kernel: an operation of its own name, counts in an older place": Case(
        (
            told(
                {
                    "gen_ai.operation.name": "chat.completions",
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.response.prompt_tokens": 16,
                    "gen_ai.response.completion_tokens": 29,
                },
                "Microsoft.SemanticKernel.Diagnostics",
            ),
        ),
        {"input": 16, "output": 29},
        "openai/gpt-4o",
    ),
    "Spring AI: counts as text, a client and advisors around the call": Case(
        (
            Span(
                0,
                1,
                scope="org.springframework.boot",
                duration_ns=9 * S,
                attributes={"gen_ai.operation.name": "framework", "gen_ai.system": "spring_ai"},
            ),
            Span(
                0,
                2,
                1,
                scope="org.springframework.boot",
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    IN: "18",
                    OUT: "70",
                    "gen_ai.usage.total_tokens": "88",
                },
            ),
        ),
        {"input": 18, "output": 70},
        "openai/gpt-4o",
    ),
    "Dify: a workflow that sums up, known by its kind": Case(
        (
            Span(0, 1, scope="dify", duration_ns=9 * S, attributes={"gen_ai.span.kind": "CHAIN", IN: 30, OUT: 4}),
            Span(
                0,
                2,
                1,
                scope="dify",
                attributes={
                    "gen_ai.span.kind": "LLM",
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "gpt-4o",
                    IN: 30,
                    OUT: 4,
                    "gen_ai.usage.total_tokens": 34,
                },
            ),
        ),
        {"input": 30, "output": 4},
        "openai/gpt-4o",
    ),
    "a body's members as attributes": Case(
        (
            told(
                OPENAI
                | {
                    "gen_ai.usage.prompt_tokens": 100,
                    "gen_ai.usage.completion_tokens": 20,
                    "gen_ai.usage.prompt_tokens_details.cached_tokens": 64,
                    "gen_ai.usage.completion_tokens_details.reasoning_tokens": 8,
                }
            ),
        ),
        {"input": 36, "cache_read": 64, "output": 12, "reasoning": 8},
    ),
    "a gateway's cached input": Case(
        (
            told(
                OPENAI
                | {IN: "1000", OUT: "500", "gen_ai.usage.cached_input_tokens": "200", "gen_ai.usage.reasoning_tokens": "100"}
            ),
        ),
        {"input": 800, "cache_read": 200, "output": 400, "reasoning": 100},
        "openai/gpt-4o",
    ),
    "a Gemini body, flattened": Case(
        (
            told(
                GEMINI
                | {"llm.usage.prompt_token_count": 10, "llm.usage.candidates_token_count": 4, "llm.usage.thoughts_token_count": 3}
            ),
        ),
        {"input": 10, "output": 4, "reasoning": 3},
    ),
    "Logfire: usage within what was answered": Case(
        (
            told(
                {
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.system": "openai",
                    "logfire.span_type": "span",
                    "response_data": json.dumps(
                        {
                            "message": {"content": "7 tokens"},
                            "usage": {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 0}},
                        }
                    ),
                },
                "logfire.openai",
            ),
        ),
        {"input": 9, "output": 5},
        "openai/gpt-4o",
    ),
    "vLLM's own span: its cost is that of the machine": Case(
        (
            told(
                {
                    "gen_ai.response.model": "meta-llama/Llama-3.1-8B-Instruct",
                    "gen_ai.usage.prompt_tokens": 9,
                    "gen_ai.usage.completion_tokens": 5,
                    "gen_ai.latency.time_to_first_token": 0.1,
                },
                "vllm.llm_engine",
            ),
        ),
        {"input": 9, "output": 5},
        "",
        {"price_status": "local"},
    ),
    "Vercel's gateway: cost as text within its metadata": Case(
        (
            told(
                {
                    "ai.operationId": "ai.generateText.doGenerate",
                    "ai.model.provider": "gateway",
                    "ai.model.id": "openai/gpt-4o",
                    "ai.usage.inputTokens": 12,
                    "ai.usage.outputTokens": 3,
                    "ai.response.providerMetadata": json.dumps({"gateway": {"cost": "0.0045405", "generationId": "gen_1"}}),
                },
                "ai",
            ),
        ),
        {"input": 12, "output": 3},
        "",
        {"cost_usd": "0.0045405"},
    ),
    # Providers' own bodies
    "Gemini's interactions": Case(
        (
            body(
                {
                    "total_input_tokens": 100,
                    "input_tokens_by_modality": [{"modality": "text", "tokens": 60}, {"modality": "image", "tokens": 40}],
                    "total_cached_tokens": 20,
                    "cached_tokens_by_modality": [{"modality": "text", "tokens": 20}],
                    "total_output_tokens": 30,
                    "total_tool_use_tokens": 5,
                    "total_thought_tokens": 10,
                    "total_tokens": 145,
                },
                GEMINI,
            ),
        ),
        {"input": 45, "input_image": 40, "cache_read": 20, "output": 30, "reasoning": 10},
    ),
    "Ollama": Case(
        (
            body(
                {"prompt_eval_count": 26, "eval_count": 290},
                OPENAI | {"gen_ai.provider.name": "ollama", "gen_ai.request.model": "llama3"},
            ),
        ),
        {"input": 26, "output": 290},
        "",
        {"price_status": "local"},
    ),
    "llama.cpp's timings": Case(
        (body({"timings": {"cache_n": 236, "prompt_n": 1, "prompt_ms": 30.9, "predicted_n": 35, "predicted_ms": 661.1}}),),
        {"input": 1, "cache_read": 236, "output": 35},
    ),
    "Llama on Bedrock": Case(
        (body({"generation": "hi", "prompt_token_count": 14, "generation_token_count": 8, "stop_reason": "stop"}),),
        {"input": 14, "output": 8},
    ),
    "Perplexity: its cost in parts": Case(
        (
            body(
                {
                    "prompt_tokens": 26,
                    "completion_tokens": 300,
                    "total_tokens": 326,
                    "search_context_size": "low",
                    "cost": {
                        "input_tokens_cost": 0.0001,
                        "output_tokens_cost": 0.0045,
                        "request_cost": 0.006,
                        "total_cost": 0.0106,
                    },
                },
                OPENAI | {"gen_ai.provider.name": "perplexity", "gen_ai.request.model": "sonar-pro"},
            ),
        ),
        {"input": 26, "output": 300},
        "",
        {"cost_usd": "0.0106"},
    ),
    "xAI: its cost in ticks, reasoning beside the output": Case(
        (
            body(
                {
                    "prompt_tokens": 32,
                    "completion_tokens": 9,
                    "total_tokens": 135,
                    "completion_tokens_details": {"reasoning_tokens": 94},
                    "num_sources_used": 0,
                    "cost_in_usd_ticks": 25_000_000,
                },
                OPENAI | {"gen_ai.provider.name": "x_ai", "gen_ai.request.model": "grok-4"},
            ),
        ),
        {"input": 32, "output": 9, "reasoning": 94},
        "x-ai/grok-4-0709",
        {"cost_usd": "0.0025"},
    ),
    "OpenRouter with a key of one's own: its fee and what the provider takes": Case(
        (
            body(
                {
                    "prompt_tokens": 74,
                    "completion_tokens": 500,
                    "cost": 0.001,
                    "is_byok": True,
                    "cost_details": {"upstream_inference_cost": 0.02},
                }
            ),
        ),
        {"input": 74, "output": 500},
        "",
        {"cost_usd": "0.021"},
    ),
    "OpenRouter: what the provider takes is in its cost": Case(
        (
            body(
                {
                    "prompt_tokens": 74,
                    "completion_tokens": 500,
                    "cost": 0.0012,
                    "is_byok": False,
                    "cost_details": {"upstream_inference_cost": 0.0012},
                }
            ),
        ),
        {"input": 74, "output": 500},
        "",
        {"cost_usd": "0.0012"},
    ),
    "Qwen: writes to a cache within the details of the prompt": Case(
        (
            body(
                {
                    "prompt_tokens": 3019,
                    "completion_tokens": 104,
                    "total_tokens": 3123,
                    "prompt_tokens_details": {
                        "cached_tokens": 2048,
                        "cache_creation": {"ephemeral_5m_input_tokens": 500},
                        "cache_creation_input_tokens": 500,
                        "cache_type": "ephemeral",
                    },
                }
            ),
        ),
        {"input": 471, "cache_read": 2048, "cache_write": 500, "output": 104},
    ),
    "Groq's last piece of a stream": Case(
        (
            body(
                {
                    "x_groq": {
                        "id": "req_1",
                        "usage": {"queue_time": 0.03, "prompt_tokens": 18, "completion_tokens": 5, "total_tokens": 23},
                    }
                }
            ),
        ),
        {"input": 18, "output": 5},
    ),
    "Anthropic: writes of both lifetimes, a search, a tier": Case(
        (
            body(
                {
                    "input_tokens": 4,
                    "cache_creation_input_tokens": 30,
                    "cache_read_input_tokens": 100,
                    "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
                    "output_tokens": 6,
                    "server_tool_use": {"web_search_requests": 1, "web_fetch_requests": 2},
                    "service_tier": "standard",
                    "inference_geo": "us",
                },
                CLAUDE,
            ),
        ),
        {"input": 4, "cache_read": 100, "cache_write": 10, "cache_write_1h": 20, "output": 6, "web_search": 1},
        "anthropic/claude-sonnet-4-5",
    ),
    "OpenAI's transcription by tokens": Case(
        (
            body(
                {
                    "type": "tokens",
                    "input_tokens": 14,
                    "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
                    "output_tokens": 45,
                    "total_tokens": 59,
                },
                OPENAI | {"gen_ai.request.model": "gpt-4o-transcribe"},
            ),
        ),
        {"input": 4, "input_audio": 10, "output": 45},
    ),
    "OpenAI's images": Case(
        (
            body(
                {
                    "input_tokens": 50,
                    "input_tokens_details": {"image_tokens": 40, "text_tokens": 10},
                    "output_tokens": 4160,
                    "output_tokens_details": {"image_tokens": 4160, "text_tokens": 0},
                    "total_tokens": 4210,
                },
                OPENAI | {"gen_ai.request.model": "gpt-image-1"},
            ),
        ),
        {"input": 10, "input_image": 40, "output_image": 4160},
    ),
    "Voyage: a total is all that an embedding tells": Case(
        (
            body(
                {"total_tokens": 10},
                {"gen_ai.operation.name": "embeddings", "gen_ai.provider.name": "voyageai", "gen_ai.request.model": "voyage-3.5"},
            ),
        ),
        {"input": 10},
        "voyageai/voyage-3.5",
    ),
    "watsonx": Case((body({"input_token_count": 12, "generated_token_count": 20}),), {"input": 12, "output": 20}),
    "Replicate's metrics": Case(
        (body({"input_token_count": 12, "output_token_count": 20, "predict_time": 1.5}),), {"input": 12, "output": 20}
    ),
    "floats, text and nothing": Case(
        (body({"prompt_tokens": 12.0, "completion_tokens": "20", "total_tokens": None, "prompt_tokens_details": None}),),
        {"input": 12, "output": 20},
    ),
    # One call told several times, and what is no call
    "ADK around Google's own instrumentation": Case(
        (
            Span(
                0,
                1,
                scope="gcp.vertex.agent",
                duration_ns=9 * S,
                attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "root"},
            ),
            Span(
                0,
                2,
                1,
                scope="gcp.vertex.agent",
                duration_ns=8 * S,
                attributes={"gen_ai.system": "gcp.vertex.agent", "gen_ai.request.model": "gemini-2.5-flash", IN: 100, OUT: 60},
            ),
            Span(
                0,
                3,
                2,
                scope="opentelemetry.instrumentation.google_genai",
                duration_ns=7 * S,
                attributes={
                    "gen_ai.operation.name": "generate_content",
                    "gen_ai.system": "gemini",
                    "gen_ai.request.model": "gemini-2.5-flash",
                    IN: 100,
                    OUT: 60,
                    "gen_ai.usage.cache_read.input_tokens": 40,
                },
            ),
        ),
        {"input": 60, "cache_read": 40, "output": 60},
        "google/gemini-2.5-flash",
    ),
    "LiteLLM around a client, within a proxy": Case(
        (
            Span(0, 1, scope="litellm", kind="server", duration_ns=9 * S, attributes={"http.route": "/chat/completions"}),
            Span(
                0,
                2,
                1,
                scope="litellm",
                duration_ns=8 * S,
                attributes={
                    "gen_ai.request.model": "gpt-4o",
                    "gen_ai.system": "openai",
                    "llm.request.type": "completion",
                    "gen_ai.usage.prompt_tokens": "18",
                    "gen_ai.usage.completion_tokens": "4",
                    "gen_ai.usage.total_tokens": "22",
                    "gen_ai.response.id": "chatcmpl-9",
                    "metadata.user_api_key_hash": "h",
                },
            ),
            Span(
                0,
                3,
                2,
                scope="litellm",
                duration_ns=7 * S,
                attributes={"llm.openai.model": "gpt-4o", "llm.openai.id": "chatcmpl-9"},
            ),
            Span(
                0,
                4,
                3,
                scope="opentelemetry.instrumentation.openai_v2",
                duration_ns=6 * S,
                attributes=OPENAI | {IN: 18, OUT: 4, "gen_ai.response.id": "chatcmpl-9"},
            ),
        ),
        {"input": 18, "output": 4},
        "openai/gpt-4o",
    ),
    "two instrumentations of one client, in two spellings": Case(
        (
            Span(
                0,
                1,
                scope="openinference.instrumentation.anthropic",
                duration_ns=8 * S,
                attributes={
                    "openinference.span.kind": "LLM",
                    "llm.system": "anthropic",
                    "llm.model_name": "claude-sonnet-4-5",
                    "llm.token_count.prompt": 2312,
                    "llm.token_count.prompt_details.cache_read": 2000,
                    "llm.token_count.prompt_details.cache_write": 300,
                    "llm.token_count.completion": 7,
                },
            ),
            Span(
                0,
                2,
                1,
                scope="openlit.otel.tracing",
                duration_ns=7 * S,
                attributes=CLAUDE
                | {
                    IN: 12,
                    OUT: 7,
                    "gen_ai.usage.cache_read.input_tokens": 2000,
                    "gen_ai.usage.cache_creation.input_tokens": 300,
                    "gen_ai.response.id": "msg_1",
                    "gen_ai.response.model": "claude-sonnet-4-5-20250929",
                },
            ),
        ),
        {"input": 12, "cache_read": 2000, "cache_write": 300, "output": 7},
        "anthropic/claude-sonnet-4-5",
    ),
    "OpenLIT's callback of LangChain, whose details have short names": Case(
        (
            Span(
                0,
                1,
                scope="openlit.otel.tracing",
                attributes=CLAUDE
                | {
                    IN: 12,
                    OUT: 7,
                    "gen_ai.usage.prompt_tokens_details.cache_read": 2000,
                    "gen_ai.usage.prompt_tokens_details.cache_write": 300,
                    "gen_ai.usage.completion_tokens_details.reasoning": 3,
                },
            ),
        ),
        {"input": 12, "cache_read": 2000, "cache_write": 300, "output": 4, "reasoning": 3},
        "anthropic/claude-sonnet-4-5",
    ),
    "a client of Anthropic's that tells of itself, inside ours": Case(
        (
            Span(
                0,
                1,
                scope="tollbook",
                duration_ns=8 * S,
                attributes=CLAUDE
                | {IN: 2312, OUT: 7, "gen_ai.usage.cache_read.input_tokens": 2000, "gen_ai.usage.cache_write.input_tokens": 300},
            ),
            Span(
                0,
                2,
                1,
                scope="anthropic",
                duration_ns=7 * S,
                attributes=CLAUDE
                | {
                    "gen_ai.usage.input_tokens": 2312,
                    "gen_ai.usage.output_tokens": 7,
                    "gen_ai.usage.cache_read.input_tokens": 2000,
                    "gen_ai.usage.cache_creation.input_tokens": 300,
                    "gen_ai.response.id": "msg_2",
                },
            ),
        ),
        {"input": 12, "cache_read": 2000, "cache_write": 300, "output": 7},
    ),
    "a tool that repeats its caller's tokens": Case(
        (
            Span(0, 1, scope="theirs", attributes=OPENAI | {IN: 10, OUT: 2}),
            Span(
                0,
                2,
                scope="theirs",
                start_ns=2 * S,
                attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t", IN: 10, OUT: 2},
            ),
            Span(
                0,
                4,
                scope="theirs",
                start_ns=6 * S,
                attributes={"gen_ai.operation.name": "create_agent", "gen_ai.request.model": "gpt-4o"},
            ),
        ),
        {"input": 10, "output": 2},
    ),
    "a roll-up nobody has declared": Case(
        (
            Span(
                0,
                1,
                scope="theirs",
                duration_ns=9 * S,
                attributes={"gen_ai.operation.name": "orchestrate_tools", "gen_ai.request.model": "gpt-4o", IN: 10, OUT: 2},
            ),
            Span(0, 2, 1, scope="theirs", attributes=OPENAI | {IN: 10, OUT: 2}),
        ),
        {"input": 10, "output": 2},
        "openai/gpt-4o",
    ),
    "an agent of Azure's that alone tells": Case(
        (
            told(
                {
                    "gen_ai.operation.name": "process_thread_run",
                    "gen_ai.system": "az.ai.agents",
                    "gen_ai.request.model": "gpt-4o",
                    IN: 10,
                    OUT: 2,
                },
                "azure.ai.agents",
            ),
        ),
        {"input": 10, "output": 2},
        "openai/gpt-4o",
    ),
    "a gateway's server span below a client's, in OpenInference": Case(
        (
            Span(
                0,
                1,
                scope="opentelemetry.instrumentation.openai_v2",
                duration_ns=8 * S,
                kind="client",
                attributes=OPENAI | {IN: 9, OUT: 2},
            ),
            Span(
                0,
                2,
                1,
                scope="envoyproxy/ai-gateway",
                service="ai-gateway-extproc",
                kind="server",
                duration_ns=7 * S,
                attributes={
                    "openinference.span.kind": "LLM",
                    "llm.system": "openai",
                    "llm.model_name": "gpt-4o-2024-08-06",
                    "llm.token_count.prompt": 9,
                    "llm.token_count.completion": 2,
                    "llm.token_count.total": 11,
                },
            ),
        ),
        {"input": 9, "output": 2},
        "openai/gpt-4o",
    ),
    "counts as text of a float, and what is none": Case(
        (
            told(
                OPENAI
                | {
                    IN: "12.0",
                    OUT: "1e2",
                    "gen_ai.usage.cache_read.input_tokens": "NaN",
                    "gen_ai.usage.reasoning.output_tokens": -1,
                }
            ),
        ),
        {"input": 12, "output": 100},
    ),
    "Vercel's newer spans hold Anthropic's cache in the input": Case(
        (
            told(
                CLAUDE
                | {
                    IN: 2312,
                    OUT: 7,
                    "gen_ai.usage.cache_read.input_tokens": 2000,
                    "gen_ai.usage.cache_creation.input_tokens": 300,
                    "gen_ai.response.id": "msg_7",
                },
                "ai",
            ),
        ),
        {"input": 12, "cache_read": 2000, "cache_write": 300, "output": 7},
        "anthropic/claude-sonnet-4-5",
    ),
    "Vercel's newer spans without the fresh part hold Anthropic's cache in the input too": Case(
        (
            told(
                {
                    "ai.operationId": "ai.generateText.doGenerate",
                    "ai.model.provider": "anthropic.messages",
                    "ai.model.id": "claude-sonnet-4-5",
                    "ai.usage.inputTokens": 130_213,
                    "ai.usage.inputTokenDetails.cacheReadTokens": 128_955,
                    "ai.usage.inputTokenDetails.cacheWriteTokens": 1_253,
                    "ai.usage.outputTokens": 100,
                },
                "ai",
            ),
        ),
        {"input": 5, "cache_read": 128_955, "cache_write": 1_253, "output": 100},
        "anthropic/claude-sonnet-4-5",
    ),
    "Vercel's older spans have it beside": Case(
        (
            told(
                {
                    "ai.operationId": "ai.streamText.doStream",
                    "ai.model.provider": "anthropic.messages",
                    "ai.model.id": "claude-sonnet-4-5",
                    "ai.usage.inputTokens": 2312,
                    "ai.usage.outputTokens": 7,
                    "ai.usage.cachedInputTokens": 2000,
                    IN: 2312,
                    OUT: 7,
                },
                "ai",
            ),
        ),
        {"input": 2312, "cache_read": 2000, "output": 7},
    ),
    "Langfuse, told a prompt that holds its cache": Case(
        (
            told(
                {
                    "langfuse.observation.type": "generation",
                    "langfuse.observation.model.name": "gpt-4o",
                    "langfuse.observation.usage_details": json.dumps(
                        {"input": 100, "input_cached_tokens": 40, "output": 5, "total": 105}
                    ),
                },
                "langfuse-sdk",
            ),
        ),
        {"input": 60, "cache_read": 40, "output": 5},
    ),
    "Pydantic AI's gateway": Case(
        (
            told(
                OPENAI
                | {
                    IN: 100,
                    OUT: 5,
                    "gen_ai.usage.cache_read_tokens": 40,
                    "gen_ai.usage.input_audio_tokens": 30,
                    "gen_ai.usage.cache_audio_read_tokens": 10,
                }
            ),
        ),
        {"input": 40, "input_audio": 20, "cache_read": 30, "cache_read_audio": 10, "output": 5},
    ),
    "a body as Python writes it": Case(
        (
            told(
                OPENAI
                | {
                    "llm.usage": str(
                        {"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 4, "audio": None}}
                    )
                }
            ),
        ),
        {"input": 5, "cache_read": 4, "output": 5},
    ),
    "Anthropic's fast answers have a price of their own": Case(
        (
            body(
                {"input_tokens": 10, "output_tokens": 2, "service_tier": "standard", "speed": "fast"},
                CLAUDE | {"gen_ai.request.model": "claude-opus-4-8"},
            ),
        ),
        {"input": 10, "output": 2},
        "anthropic/claude-opus-4-8",
        {"cost_usd": "0.0002"},
    ),
    "Anthropic's rounds of a compaction are named": Case(
        (
            body(
                {
                    "input_tokens": 220,
                    "output_tokens": 8,
                    "iterations": [
                        {"type": "compaction", "input_tokens": 55196, "output_tokens": 125},
                        {"type": "message", "input_tokens": 220, "output_tokens": 8},
                    ],
                },
                CLAUDE,
            ),
        ),
        {"input": 220, "output": 8},
        "",
        {"flags": ["rounds_beside"]},
    ),
}
