"""What providers' answers say of their usage, as arguments of `Handle.usage`. Pure; content is not looked at.

Reads the shapes of OpenAI (chat, responses, embeddings, images, audio, realtime), Anthropic, Gemini, Bedrock, Cohere, Mistral,
Ollama, llama.cpp and of what speaks like them; whole answers and pieces of streams; objects and parsed JSON, also in camelCase.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_WITHIN: Final = (
    "response",
    "message",
    "delta",
    "metadata",
    "meta",
    "result",
    "chat_response",
    "x_groq",
    "llm_output",
    "interaction",
)
"""Where an event of a stream, or an envelope, has the answer that tells of its usage."""
_USAGES: Final = (
    "usage",
    "usage_metadata",
    "token_usage",
    "billed_units",
    "tokens",
    "amazon-bedrock-invocationMetrics",
)
_OTHERS: Final[Mapping[str, str]] = {
    "meta_info": "prompt_tokens",
    "timings": "predicted_n",
    "metrics": "input_token_count",
    "details": "generated_tokens",
}
"""Members that may be anything, and the count by which SGLang's, llama.cpp's, Replicate's and TGI's are known."""
_BARE: Final = (
    "prompt_eval_count",
    "eval_count",
    "input_tokens",
    "prompt_tokens",
    "prompt_token_count",
    "input_token_count",
    "generated_token_count",
    "input_text_token_count",
    "tokens_evaluated",
)
"""By what counts are known that stand alone, such as Ollama's."""

_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "input_tokens": (
        "billed_units.input_tokens",
        "prompt_tokens",
        "input_tokens",
        "prompt_token_count",
        "input_token_count",
        "tokens.input_tokens",
        "prompt_eval_count",
        "total_input_tokens",
        "input_text_token_count",
        "tokens_evaluated",
        "prompt_n",
    ),
    "output_tokens": (
        "billed_units.output_tokens",
        "completion_tokens",
        "output_tokens",
        "candidates_token_count",
        "response_token_count",
        "output_token_count",
        "tokens.output_tokens",
        "eval_count",
        "total_output_tokens",
        "generation_token_count",
        "generated_token_count",
        "generated_tokens",
        "tokens_predicted",
        "predicted_n",
    ),
    "cache_read_tokens": (
        "prompt_tokens_details.cached_tokens",
        "input_tokens_details.cached_tokens",
        "input_token_details.cached_tokens",
        "input_token_details.cache_read",
        "prompt_token_details.cached_tokens",
        "cache_read_input_tokens",
        "cache_read_input_token_count",
        "cached_content_token_count",
        "prompt_cache_hit_tokens",
        "num_cached_tokens",
        "cached_tokens",
        "total_cached_tokens",
        "cached_prompt_text_tokens",
        "cache_n",
    ),
    "cache_write_tokens": (
        "prompt_tokens_details.cache_write_tokens",
        "prompt_tokens_details.cache_creation_input_tokens",
        "input_tokens_details.cache_write_tokens",
        "input_token_details.cache_creation",
        "cache_creation_input_tokens",
        "cache_write_input_tokens",
        "cache_write_input_token_count",
    ),
    "reasoning_tokens": (
        "completion_tokens_details.reasoning_tokens",
        "output_tokens_details.reasoning_tokens",
        "output_tokens_details.thinking_tokens",
        "output_token_details.reasoning",
        "thoughts_token_count",
        "total_thought_tokens",
        "reasoning_tokens",
    ),
}
_IN: Final = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_OUT: Final = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_PARTS: Final[Mapping[str, tuple[str, ...]]] = {
    **{f"input_{kind}": tuple(f"{details}.{kind}_tokens" for details in _IN) for kind in ("audio", "image", "video")},
    **{f"output_{kind}": tuple(f"{details}.{kind}_tokens" for details in _OUT) for kind in ("audio", "image", "video")},
    **{
        f"cache_read_{kind}": tuple(f"{details}.cached_tokens_details.{kind}_tokens" for details in _IN)
        for kind in ("audio", "image")
    },
    "cache_write_1h": ("cache_creation.ephemeral_1h_input_tokens",),
    "web_search": ("server_tool_use.web_search_requests",),
    "audio_second": ("seconds",),
}
"""What has a price of its own, by the name that `Handle.usage` has for it."""
_BY_MODALITY: Final[Mapping[str, tuple[str, ...]]] = {
    "input": ("prompt_tokens_details", "input_tokens_by_modality"),
    "output": ("candidates_tokens_details", "response_tokens_details", "output_tokens_by_modality"),
    "cache_read": ("cache_tokens_details", "cached_tokens_by_modality"),
}
"""Lists in which Google tells tokens of each kind."""
_MOST: Final = 10**10
"""No call uses more of anything."""
_BESIDE_INPUT_TOKENS: Final = (
    ("cache_read_input_tokens", "cache_read_input_token_count"),
    ("cache_creation_input_tokens", "cache_write_input_tokens", "cache_write_input_token_count"),
)
"""Anthropic and Bedrock count cached tokens beside `input_tokens`; OpenTelemetry counts them among the input tokens."""
_COSTS: Final = ("cost", "cost.total_cost", "total_cost", "pydantic_ai_gateway.cost_estimate")
_XAI_TICKS_PER_USD: Final = 10**10
_REASONS: Final = ("finish_reason", "stop_reason", "done_reason", "incomplete_details.reason")


def used(response: Any) -> dict[str, Any]:
    """What an answer, or a piece of one, says of what the call used."""
    if response is None or isinstance(response, str | bytes | int | float):
        return {}
    said: dict[str, Any] = {}
    for place in _places(response):
        for name, value in (*_counted(place).items(), *_named(place).items()):
            said.setdefault(name, value)
    if field(response, "type") == "message_start":  # Anthropic tells here what it has written so far: next to nothing
        for name in ("output_tokens", "reasoning_tokens"):
            said.pop(name, None)
    return said


def _places(response: Any) -> Iterator[Any]:
    """The answer, and what it has within that may tell instead."""
    yield response
    for name in _WITHIN:
        inner = field(response, name)
        if inner is not None and not isinstance(inner, str | int | float):
            yield inner
            meta = field(inner, "meta")  # Cohere's last event
            if meta is not None:
                yield meta
    for name, count in (("choices", "usage"), ("results", "generated_token_count")):  # Moonshot's streams, watsonx
        each = field(response, name)
        if isinstance(each, list | tuple) and each and field(each[0], count) is not None:
            yield each[0]
    headers = at(response, "ResponseMetadata.HTTPHeaders")
    if isinstance(headers, Mapping):
        yield {
            "inputTokenCount": _whole(headers.get("x-amzn-bedrock-input-token-count")),
            "outputTokenCount": _whole(headers.get("x-amzn-bedrock-output-token-count")),
            "id": at(response, "ResponseMetadata.RequestId"),
        }


def _counted(place: Any) -> dict[str, Any]:
    """Tokens, cost and tier."""
    usage = _usage(place)
    if usage is None:
        tier = _text(field(place, "service_tier"))
        return {"service_tier": tier} if tier else {}
    said: dict[str, Any] = {name: _first(usage, paths) for name, paths in _FIELDS.items()}
    _include(said, usage)
    said["parts"] = _parts(usage) or None
    fast = _text(field(usage, "speed")) == "fast"  # Anthropic's, which it prices as others do a tier
    said["service_tier"] = "fast" if fast else _text(field(usage, "service_tier")) or _text(field(place, "service_tier"))
    said["cost"] = cost_usd(usage, place)
    return {name: value for name, value in said.items() if value is not None}


def _usage(place: Any) -> Any:
    """Where the counts stand: in a member of their own, or on the place itself."""
    for name in _USAGES:
        found = field(place, name)
        if found is not None and not isinstance(found, str | int | float | list):
            return found
    if any(field(place, name) is not None for name in _BARE):
        return place
    return next((found for name, count in _OTHERS.items() if field(found := field(place, name), count) is not None), None)


def _include(said: dict[str, Any], usage: Any) -> None:
    """Counts that a provider keeps beside each other become parts of one another."""
    if said["input_tokens"] is not None:
        if _first(usage, ("prompt_tokens",)) is None and _first(usage, ("input_tokens", "input_token_count")) is not None:
            said["input_tokens"] += sum(_first(usage, paths) or 0 for paths in _BESIDE_INPUT_TOKENS)
        said["input_tokens"] += _first(usage, ("tool_use_prompt_token_count", "total_tool_use_tokens")) or 0
        said["input_tokens"] += (_first(usage, ("cache_n",)) or 0) if _first(usage, ("prompt_n",)) is not None else 0
        if _first(usage, ("billed_units.input_tokens",)) is not None:
            said["cache_read_tokens"] = None  # Cohere bills none of them
    thoughts = _first(usage, ("thoughts_token_count", "total_thought_tokens"))
    if thoughts is None and reasons_beside_output(usage, said["input_tokens"], said["output_tokens"], said["reasoning_tokens"]):
        thoughts = said["reasoning_tokens"]
    if thoughts is not None:
        said["output_tokens"] = (said["output_tokens"] or 0) + thoughts


def reasons_beside_output(
    usage: Any, input_tokens: float | None, output_tokens: float | None, reasoning_tokens: float | None
) -> bool:
    """Whether a provider counts reasoning beside the output, as xAI does, not in it."""
    if not reasoning_tokens or output_tokens is None:
        return False
    beside = (input_tokens or 0) + output_tokens + reasoning_tokens == _first(usage, ("total_tokens",))
    return beside or reasoning_tokens > output_tokens


def _parts(usage: Any) -> dict[str, int]:
    """Counts of what has a price of its own, but for those that are 0."""
    parts = {name: _first(usage, paths) for name, paths in _PARTS.items()}
    for side, names in _BY_MODALITY.items():
        for each in next((found for name in names if isinstance(found := field(usage, name), list | tuple)), ()):
            kind = (_text(field(each, "modality")) or "").lower()
            if f"{side}_{kind}" in _PARTS:
                parts[f"{side}_{kind}"] = _first(each, ("token_count", "tokens"))
    return {name: count for name, count in parts.items() if count}


def cost_usd(usage: Any, place: Any) -> float | None:
    """What the provider, or a gateway before it, says that the call cost, in USD."""
    told = [at(usage, path) for path in _COSTS] + [at(place, "_hidden_params.response_cost")]
    upstream = _number(at(usage, "cost_details.upstream_inference_cost")) if field(usage, "is_byok") is True else None
    fee = next((cost for each in told if (cost := _number(each))), 0.0)
    ticks = _first(usage, ("cost_in_usd_ticks",))
    if upstream:  # a key of one's own: what OpenRouter tells is its fee
        return fee + upstream
    return fee or (ticks / _XAI_TICKS_PER_USD if ticks else None)


def _number(cost: Any) -> float | None:
    """A cost above 0."""
    if isinstance(cost, str):
        cost = _decimal(cost)
    return cost if isinstance(cost, int | float) and not isinstance(cost, bool) and 0 < cost < _MOST else None


def _named(place: Any) -> dict[str, Any]:
    """Model, identity and why it ended."""
    model = next((found for name in ("model", "model_version", "model_name") if (found := _text(field(place, name)))), None)
    identity = next((found for name in ("id", "response_id") if (found := _text(field(place, name)))), None)
    said = {"response_model": model, "response_id": identity, "finish_reasons": _reasons(place)}
    return {name: value for name, value in said.items() if value}


def _reasons(place: Any) -> tuple[str, ...]:
    choices = field(place, "choices") or field(place, "candidates")
    if isinstance(choices, list | tuple):
        return tuple(filter(None, (_text(field(choice, "finish_reason")) for choice in choices)))
    return next(((found,) for path in _REASONS if (found := _text(at(place, path)))), ())


def _first(usage: Any, paths: tuple[str, ...]) -> int | None:
    for path in paths:
        value = at(usage, path)
        if isinstance(value, str):
            value = _whole(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)  # Cohere's
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MOST:
            return value
    return None


def _text(value: Any) -> str | None:
    """Text, or the name of an enum's member."""
    value = getattr(value, "name", value) if not isinstance(value, str) else value
    return value if isinstance(value, str) else None


def _whole(text: Any) -> int | None:
    return int(text) if isinstance(text, str) and text.isdecimal() else None


def _decimal(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def at(value: Any, path: str) -> Any:
    """The member of a member …, such as `usage.input_tokens`; None where there is none."""
    if "." not in path:
        return field(value, path)
    for step in path.split("."):
        value = field(value, step)
        if value is None:
            return None
    return value


def field(value: Any, name: str) -> Any:
    """A member of a mapping, also in camelCase, or of an object."""
    if isinstance(value, Mapping):
        found = value.get(name)
        return found if found is not None or "_" not in name else value.get(_camel(name))
    return getattr(value, name, None)


_camels: dict[str, str] = {}


def _camel(name: str) -> str:
    known = _camels.get(name)
    if known is None:
        first, *rest = name.split("_")
        known = _camels[name] = first + "".join(word.capitalize() for word in rest)
    return known
