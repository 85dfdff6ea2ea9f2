"""What one model call looks like in each dialect: attributes of its span, and the scope that records it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

APART = {"anthropic", "aws"}
"""Providers that count the cache beside the input; some SDKs hand that on."""


@dataclass(frozen=True)
class Usage:
    """What a call used. Input holds the cache, output the reasoning, both every kind."""

    provider: str
    model: str
    input: int = 0
    output: int = 0
    read: int = 0
    write: int = 0
    reasoning: int = 0
    kinds: Mapping[str, int] = field(default_factory=dict)
    """Of audio, image and video, in and out: `input_audio`."""
    body: Mapping[str, Any] = field(default_factory=dict)
    """The provider's own answer."""

    @property
    def fresh(self) -> int:
        """Input beside the cache."""
        return self.input - self.read - self.write

    @property
    def told_input(self) -> int:
        """Input as its provider counts it."""
        return self.fresh if self.provider in APART else self.input

    def buckets(self, *parts: str) -> dict[str, int]:
        """What is found where only these parts are told: of `cache`, `reasoning`, `kinds`."""
        cache = {"cache_read": self.read, "cache_write": self.write} if "cache" in parts else {}
        kinds = dict(self.kinds) if "kinds" in parts else {}
        reasoning = self.reasoning if "reasoning" in parts else 0
        of = {side: sum(n for kind, n in kinds.items() if kind.startswith(side)) for side in ("input", "output")}
        rest = {"input": self.input - sum(cache.values()) - of["input"], "output": self.output - reasoning - of["output"]}
        return {bucket: n for bucket, n in {**rest, **cache, **kinds, "reasoning": reasoning}.items() if n}


@dataclass(frozen=True)
class Dialect:
    """How to spell a call, and what of it can be said so."""

    name: str
    scope: str
    attributes: Callable[[Usage], dict[str, Any]]
    carries: tuple[str, ...]
    kind: str = "chat"


def _otel(u: Usage, write: str) -> dict[str, Any]:
    keys = {
        "gen_ai.usage.input_tokens": u.input,
        "gen_ai.usage.output_tokens": u.output,
        "gen_ai.usage.cache_read.input_tokens": u.read,
        f"gen_ai.usage.{write}.input_tokens": u.write,
        "gen_ai.usage.reasoning.output_tokens": u.reasoning,
    }
    return _named(u) | keys


def _named(u: Usage) -> dict[str, Any]:
    return {"gen_ai.operation.name": "chat", "gen_ai.provider.name": u.provider, "gen_ai.request.model": u.model}


def _of_kinds(u: Usage, spelled: Callable[[str, str], str]) -> dict[str, Any]:
    return {spelled(*kind.split("_")): count for kind, count in u.kinds.items()}


def _old(u: Usage) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": u.provider,
        "gen_ai.request.model": u.model,
        "gen_ai.usage.prompt_tokens": u.input,
        "gen_ai.usage.completion_tokens": u.output,
    }


def _genai_main(u: Usage) -> dict[str, Any]:
    return _otel(u, "cache_write") | _of_kinds(u, lambda side, kind: f"gen_ai.usage.{kind}.{side}_tokens")


def _openinference(u: Usage) -> dict[str, Any]:
    sides = {"input": "prompt", "output": "completion"}
    return {
        "openinference.span.kind": "LLM",
        "llm.system": u.provider,
        "llm.model_name": u.model,
        "llm.token_count.prompt": u.input,
        "llm.token_count.completion": u.output,
        "llm.token_count.total": u.input + u.output,
        "llm.token_count.prompt_details.cache_read": u.read,
        "llm.token_count.prompt_details.cache_write": u.write,
        "llm.token_count.completion_details.reasoning": u.reasoning,
    } | _of_kinds(u, lambda s, k: f"llm.token_count.{sides[s]}_details.{k}")


def _traceloop(u: Usage) -> dict[str, Any]:
    return _old(u) | {
        "llm.request.type": "chat",
        "llm.usage.total_tokens": u.input + u.output,
        "gen_ai.usage.cache_read_input_tokens": u.read,
        "gen_ai.usage.cache_creation_input_tokens": u.write,
        "llm.usage.reasoning_tokens": u.reasoning,
    }


def _langfuse(u: Usage) -> dict[str, Any]:
    details = {
        "input": u.buckets("cache", "reasoning", "kinds").get("input", 0),
        "output": u.buckets("cache", "reasoning", "kinds").get("output", 0),
        "input_cached_tokens": u.read,
        "input_cache_creation": u.write,
        "output_reasoning_tokens": u.reasoning,
        "total": u.input + u.output,
    } | _of_kinds(u, lambda side, kind: f"{side}_{kind}_tokens")
    return _langfuse_of(u, details)


def _langfuse_of(u: Usage, details: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": u.model,
        "langfuse.observation.usage_details": json.dumps(details),
    }


def _mlflow(u: Usage) -> dict[str, Any]:
    usage = {
        "input_tokens": u.told_input,
        "output_tokens": u.output,
        "total_tokens": u.told_input + u.output,
        "cache_read_input_tokens": u.read,
        "cache_creation_input_tokens": u.write,
    }
    return {
        "mlflow.spanType": '"CHAT_MODEL"',
        "mlflow.llm.provider": f'"{u.provider}"',
        "mlflow.llm.model": f'"{u.model}"',
        "mlflow.chat.tokenUsage": json.dumps(usage),
    }


def _logfire(u: Usage) -> dict[str, Any]:
    return _otel(u, "cache_creation") | {
        "logfire.span_type": "span",
        "gen_ai.usage.details.cache_read_tokens": u.read,
        "gen_ai.usage.details.cache_write_tokens": u.write,
        "gen_ai.usage.details.reasoning_tokens": u.reasoning,
        "gen_ai.usage.partial.input_tokens": 999_999,
    }


def _vercel(u: Usage) -> dict[str, Any]:
    return {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.provider": f"{u.provider}.messages",
        "ai.model.id": u.model,
        "ai.usage.inputTokens": u.told_input,
        "ai.usage.outputTokens": u.output,
        "ai.usage.cachedInputTokens": u.read,
        "ai.usage.reasoningTokens": u.reasoning,
        "gen_ai.usage.input_tokens": u.told_input,
        "gen_ai.usage.output_tokens": u.output,
        "ai.response.providerMetadata": json.dumps({"anthropic": {"cacheCreationInputTokens": u.write or None}}),
    }


def _vercel_details(u: Usage) -> dict[str, Any]:
    return {
        "ai.operationId": "ai.streamText.doStream",
        "ai.model.provider": f"{u.provider}.chat",
        "ai.model.id": u.model,
        "ai.usage.inputTokens": u.input,
        "ai.usage.inputTokenDetails.noCacheTokens": u.fresh,
        "ai.usage.inputTokenDetails.cacheReadTokens": u.read,
        "ai.usage.inputTokenDetails.cacheWriteTokens": u.write,
        "ai.usage.outputTokens": u.output,
        "ai.usage.outputTokenDetails.reasoningTokens": u.reasoning,
        "ai.usage.totalTokens": u.input + u.output,
    }


def _openlit(u: Usage) -> dict[str, Any]:
    return _named(u) | {
        "gen_ai.usage.input_tokens": u.told_input,
        "gen_ai.usage.output_tokens": u.output - (u.reasoning if u.provider == "google" else 0),
        "gen_ai.usage.cache_read.input_tokens": u.read,
        "gen_ai.usage.cache_creation.input_tokens": u.write,
        "gen_ai.usage.completion_tokens_details.reasoning_tokens": u.reasoning,
    }


def _litellm(u: Usage) -> dict[str, Any]:
    return _old(u) | {"gen_ai.usage.total_tokens": u.input + u.output, "llm.is_streaming": "False"}


def _claude_code(u: Usage) -> dict[str, Any]:
    return {
        "span.type": "llm_request",
        "model": u.model,
        "gen_ai.system": "anthropic",
        "gen_ai.request.model": u.model,
        "input_tokens": u.fresh,
        "output_tokens": u.output,
        "cache_read_tokens": u.read,
        "cache_creation_tokens": u.write,
    }


ALL = ("cache", "reasoning", "kinds")
DIALECTS = (
    Dialect("gen_ai_1.36", "", _old, ()),
    Dialect("gen_ai_1.41", "", lambda u: _otel(u, "cache_creation"), ("cache", "reasoning")),
    Dialect("gen_ai", "opentelemetry.util.genai", _genai_main, ALL),
    Dialect("openinference", "openinference.instrumentation.openai", _openinference, ALL),
    Dialect("traceloop", "opentelemetry.instrumentation.openai.v1", _traceloop, ("cache", "reasoning")),
    Dialect("traceloop", "@traceloop/instrumentation-openai", lambda u: _otel(u, "cache_creation"), ("cache", "reasoning")),
    Dialect("langfuse", "langfuse-sdk", _langfuse, ALL),
    Dialect("langfuse", "langfuse-sdk", lambda u: _langfuse_of(u, u.body), ALL),
    Dialect("mlflow", "mlflow", _mlflow, ("cache",)),
    Dialect("logfire", "pydantic-ai", _logfire, ("cache", "reasoning")),
    Dialect("vercel", "ai", _vercel, ("cache", "reasoning")),
    Dialect("vercel", "ai", _vercel_details, ("cache", "reasoning")),
    Dialect("openlit", "openlit.otel.tracing", _openlit, ("cache", "reasoning")),
    Dialect("litellm", "litellm", _litellm, ()),
    Dialect("claude_code", "com.anthropic.claude_code.tracing", _claude_code, ("cache",)),
    Dialect("raw", "mine", lambda u: _named(u) | {"gen_ai.usage.raw": json.dumps(u.body)}, ALL),
)
