"""What requests to model APIs and their answers say of a call: operation, tokens, tier. Pure; no content is read."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from tollbook_schema import attributes as A  # noqa: N812

from tollbook import answers
from tollbook.handle import Value

OPERATIONS: Final[Mapping[str, str]] = {
    "/chat/completions": "chat",
    "/completions": "text_completion",
    "/responses": "chat",
    "/responses/compact": "chat",
    "/embeddings": "embeddings",
    "/moderations": "moderation",
    "/images/generations": "image_generation",
    "/images/edits": "image_generation",
    "/images/variations": "image_generation",
    "/audio/speech": "speech",
    "/audio/transcriptions": "transcription",
    "/audio/translations": "transcription",
    "/messages": "chat",
    "/complete": "text_completion",
}
"""Operation by the end of the path that is asked; other paths are no calls of a model."""

_PROVIDERS: Final[Mapping[str, str]] = {
    "openai.azure.com": "azure.ai.openai",
    "cognitiveservices.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
    "amazonaws.com": "aws.bedrock",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "googleapis.com": "gcp.vertex_ai",
    "api.anthropic.com": "anthropic",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.mistral.ai": "mistral_ai",
    "api.perplexity.ai": "perplexity",
    "api.x.ai": "x_ai",
    "openrouter.ai": "openrouter",
    "api.together.xyz": "together",
    "api.fireworks.ai": "fireworks",
    "api.deepinfra.com": "deepinfra",
}
"""Provider by the end of the host's name. Others are taken for what their API is made after, as OpenTelemetry does."""

_INPUT: Final = A.GEN_AI_USAGE_INPUT_TOKENS
_OUTPUT: Final = A.GEN_AI_USAGE_OUTPUT_TOKENS
_READ: Final = A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS
_WRITE: Final = A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS
_REASONING: Final = A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS
_FINISH: Final = A.GEN_AI_RESPONSE_FINISH_REASONS

_DETAILS_IN: Final = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_DETAILS_OUT: Final = ("completion_tokens_details", "output_tokens_details", "output_token_details")
_COUNTS: Final[Mapping[str, tuple[str, ...]]] = {
    _INPUT: ("prompt_tokens", "input_tokens"),
    _OUTPUT: ("completion_tokens", "output_tokens"),
    _READ: (
        *(f"{details}.cached_tokens" for details in _DETAILS_IN),
        "cache_read_input_tokens",
        "prompt_cache_hit_tokens",
        "cached_tokens",
    ),
    _WRITE: (*(f"{details}.cache_write_tokens" for details in _DETAILS_IN), "cache_creation_input_tokens"),
    "gen_ai.usage.cache_write.1h.input_tokens": ("cache_creation.ephemeral_1h_input_tokens",),
    _REASONING: tuple(f"{details}.reasoning_tokens" for details in _DETAILS_OUT),
    "gen_ai.usage.audio.input_tokens": tuple(f"{details}.audio_tokens" for details in _DETAILS_IN),
    "gen_ai.usage.image.input_tokens": tuple(f"{details}.image_tokens" for details in _DETAILS_IN),
    "gen_ai.usage.audio.output_tokens": tuple(f"{details}.audio_tokens" for details in _DETAILS_OUT),
    "gen_ai.usage.image.output_tokens": tuple(f"{details}.image_tokens" for details in _DETAILS_OUT),
    "gen_ai.usage.web_search.requests": ("server_tool_use.web_search_requests",),
    "gen_ai.usage.audio_seconds": ("seconds",),
}
_ALWAYS: Final = frozenset({_INPUT, _OUTPUT, _READ})
"""Counts that are said when they are 0 too; a 0 of the others says nothing."""
_BESIDE: Final = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Anthropic counts cached tokens beside the input tokens; OpenTelemetry counts them among them."""


def operation_of(path: str) -> str | None:
    """What is asked of a model at a path such as `/v1/chat/completions`; `None` where it is no call of a model."""
    path = path.partition("?")[0].rstrip("/")
    ends = sorted((end for end in OPERATIONS if path.endswith(end)), key=len)
    return OPERATIONS[ends[-1]] if ends else None


def provider_of(host: str, default: str) -> str:
    """Who serves the model, as far as the host's name tells."""
    return next((name for end, name in _PROVIDERS.items() if host == end or host.endswith(f".{end}")), default)


def of_request(body: Any, operation: str, streams: bool) -> dict[str, Value]:
    """What a request says of a call, its content aside."""
    said: dict[str, Value | None] = {A.GEN_AI_REQUEST_MODEL: _text(field(body, "model"))}
    if streams:
        said[A.GEN_AI_REQUEST_STREAM] = True
    choices = field(body, "n")
    if isinstance(choices, int) and choices > 1:
        said["gen_ai.request.choice.count"] = choices
    tier = _text(field(body, "service_tier"))
    if tier not in {None, "auto"}:
        said["openai.request.service_tier"] = tier
    text = field(body, "input")
    if operation == "speech" and isinstance(text, str):
        said["gen_ai.usage.characters"] = len(text)
    if operation == "embeddings":
        said[A.TOLLBOOK_INFERENCE_BATCH_SIZE] = _batch_size(text)
    said["gen_ai.request.previous_response.id"] = _text(field(body, "previous_response_id"))
    return {key: value for key, value in said.items() if value is not None}


def _batch_size(given: Any) -> int | None:
    """Texts in the input of embeddings: one, a list of them, or a list of tokens, which is one again."""
    if isinstance(given, list | tuple) and given:
        return 1 if isinstance(given[0], int) else len(given)
    return 1 if isinstance(given, str) else None


def of_answer(answer: Any) -> dict[str, Value]:
    """What an answer says of a call: which model, which id, why it stopped, what it used. Objects or parsed JSON."""
    usage = of_usage(field(answer, "usage"))
    said: dict[str, Value | None] = {
        A.GEN_AI_RESPONSE_MODEL: _text(field(answer, "model")),
        A.GEN_AI_RESPONSE_ID: _text(field(answer, "id")),
        A.OPENAI_RESPONSE_SERVICE_TIER: _tier(answer),
        _FINISH: _finish_reasons(answer) or None,
        **usage,
    }
    searches = sum(field(item, "type") == "web_search_call" for item in _items(field(answer, "output")))
    if searches:
        said["gen_ai.usage.web_search.requests"] = searches
    images = _items(field(answer, "data"))
    if not usage and any(field(image, "b64_json") or field(image, "url") for image in images):
        said["gen_ai.usage.images"] = len(images)
    return {key: value for key, value in said.items() if value is not None}


def of_usage(usage: Any) -> dict[str, Value]:
    """Token counts under OpenTelemetry's names; empty where nothing is told, for that is not 0."""
    if usage is None:
        return {}
    said = {key: count for key, paths in _COUNTS.items() if (count := _first(usage, paths)) is not None}
    said = {key: count for key, count in said.items() if count or key in _ALWAYS}
    beside = sum(_first(usage, (name,)) or 0 for name in _BESIDE)
    if beside and _INPUT in said:
        said[_INPUT] += beside
    if answers.reasons_beside_output(usage, said.get(_INPUT), said.get(_OUTPUT), said.get(_REASONING)):
        said[_OUTPUT] += said[_REASONING]
    cost = answers.cost_usd(usage, usage)
    if cost:
        return {**said, A.GEN_AI_USAGE_COST_AMOUNT: cost, A.GEN_AI_USAGE_COST_CURRENCY: "USD"}
    return dict(said)


class Chunks:
    """What the chunks of a streamed answer have said so far."""

    __slots__ = ("_reasons", "_said")

    def __init__(self) -> None:
        self._said: dict[str, Value] = {}
        self._reasons: dict[int, str] = {}

    def take(self, chunk: Any) -> None:
        """One chunk: of chat completions, an event of responses, or an event of Anthropic's messages."""
        begun = field(chunk, "message")  # Anthropic's message_start: its count of output is a beginning
        whole = field(chunk, "response")
        for carrier in (begun, whole, chunk):
            if carrier is not None:
                said = of_answer(carrier)
                if carrier is begun:
                    said.pop(_OUTPUT, None)
                self._said.update({key: value for key, value in said.items() if key != _FINISH or carrier is whole})
        for choice in _items(field(chunk, "choices")):
            self._stopped(field(choice, "index") or 0, field(choice, "finish_reason"))
        self._stopped(0, field(field(chunk, "delta"), "stop_reason"))

    def said(self, *, whole: bool) -> dict[str, Value]:
        """All of it; `whole` is whether the stream came to its end."""
        said = dict(self._said)
        if self._reasons:
            said[_FINISH] = [self._reasons[index] for index in sorted(self._reasons)]
        elif not whole:
            said[_FINISH] = ["cancelled"]
        return said

    def _stopped(self, index: int, reason: Any) -> None:
        if isinstance(reason, str):
            self._reasons[index] = reason


def _finish_reasons(answer: Any) -> list[str]:
    reasons = [field(choice, "finish_reason") for choice in _items(field(answer, "choices"))]
    reasons.append(field(answer, "stop_reason"))
    reasons.append(field(field(answer, "incomplete_details"), "reason") or field(answer, "status"))
    return [reason for reason in reasons if isinstance(reason, str)]


def _tier(answer: Any) -> str | None:
    return _text(field(answer, "service_tier")) or _text(field(field(answer, "usage"), "service_tier"))


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _first(usage: Any, paths: Iterable[str]) -> int | float | None:
    for path in paths:
        value = usage
        for step in path.split("."):
            value = field(value, step)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
    return None


def field(value: Any, name: str) -> Any:
    """Of an object or a mapping; `None` where it has none."""
    return value.get(name) if isinstance(value, Mapping) else getattr(value, name, None)
