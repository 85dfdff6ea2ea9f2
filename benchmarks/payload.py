"""Seeded OTLP bodies in three shapes, as bytes: `genai`, the same with prompts, and the small span of load generators.

A few thousand spans of a shape are encoded by protobuf once. A body is a random row of them, with ids, times, token counts
and users of its own written into the bytes, so that no two bodies repeat and none is cheaper to compress than real ones.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

Bytes: TypeAlias = npt.NDArray[np.uint8]
Places: TypeAlias = npt.NDArray[np.int64]
ShapeName: TypeAlias = Literal["loadgen", "genai", "genai_msg"]

SPANS_PER_BODY = 512
MOST_SPANS_OF_A_TRACE = 8
SPANS_PER_SECOND = 100_000
"""Event time goes on at this rate from body to body, as it does where that many spans arrive."""

HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
MODELS = (
    ("openai", "gpt-4o", "gpt-4o-2024-08-06", "api.openai.com"),
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18", "api.openai.com"),
    ("openai", "gpt-4.1", "gpt-4.1-2025-04-14", "api.openai.com"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "api.anthropic.com"),
)
GENAI_RESOURCE = {
    "service.name": "rag-api",
    "service.version": "1.2.3",
    "service.instance.id": "i-0f3a9c21d4e8b7a65",
    "deployment.environment.name": "prod",
    "cloud.provider": "aws",
    "cloud.region": "us-east-1",
    "cloud.availability_zone": "us-east-1a",
    "host.name": "ip-10-0-0-1.ec2.internal",
    "host.id": "i-0a1b2c3d4e5f60718",
    "telemetry.sdk.language": "python",
    "telemetry.sdk.name": "opentelemetry",
}

# What is written into each encoded span, and the bytes that mark its place.
TRACE, SPAN, PARENT = b"\x01TRACE-TOLLBOOK\x02", b"\x03SPAN__\x04", b"\x05PARNT_\x06"
START, END = 0x7E57AB1E00000001, 0x7E57AB1E00000002
RESPONSE = "@@RESPONSE-ID-OF-32-CHARACTERS@@"
CONVERSATION = "conv-########-###"
USER = "u-####"
INPUT_TOKENS, OUTPUT_TOKENS, CACHED_TOKENS = 16_001, 16_002, 16_003
"""Numbers from 128 to 16,383 take two bytes in protobuf, so that another can be written over one."""

LEAST_TOKENS = 128
MOST_INPUT_TOKENS, MOST_OUTPUT_TOKENS, MOST_CACHED_TOKENS = 5_000, 900, 600
USERS = 5_000


@dataclass(frozen=True)
class Shape:
    """What the spans of a load look like."""

    name: ShapeName
    templates: int
    """Different spans that bodies are put together from; so many that no block of a database's compression holds one twice."""

    resource: Mapping[str, str]
    scope: tuple[str, str]
    add: Callable[[ScopeSpans, random.Random], Span]
    numbered: bool
    """Whether its spans carry tokens, users and ids of responses and conversations."""


@dataclass(eq=False)
class Body:
    """One export request and what it must add to the store. Its bytes can be made those of another request."""

    content: bytearray
    spans: int
    input_tokens: int
    _shape: "_Encoded" = field(repr=False)
    _traces: npt.NDArray[np.int64] = field(repr=False)
    _durations_ns: npt.NDArray[np.int64] = field(repr=False)
    _starts: Places = field(repr=False)
    _templates: npt.NDArray[np.int64] = field(repr=False)

    def renew(self, ids: np.random.Generator, end_ns: int, spread_ns: int) -> None:
        """Gives all its spans new ids and times; they end evenly over the `spread_ns` nanoseconds up to `end_ns` (since 1970)."""
        view = np.frombuffer(self.content, dtype=np.uint8)
        traces = int(self._traces[-1]) + 1
        self._write(view, "trace", _random(ids, traces, 16)[self._traces])
        self._write(view, "span", _random(ids, self.spans, 8))
        if "parent" in self._shape.marks:
            self._write(view, "parent", _random(ids, traces, 8)[self._traces])
        if "response" in self._shape.marks:
            self._write(view, "response", HEX[_random(ids, self.spans, 32) & 15])
        ends_ns = end_ns - np.linspace(spread_ns, 0, self.spans, dtype=np.int64)
        self._write(view, "start", _little_endian(ends_ns - self._durations_ns))
        self._write(view, "end", _little_endian(ends_ns))

    def _write(self, view: Bytes, what: str, values: Bytes) -> None:
        offsets = self._shape.marks[what][self._templates]
        view[(self._starts + offsets)[:, None] + np.arange(values.shape[1])] = values


class Payload:
    """Makes bodies of `spans_per_body` spans each, all ids unique; the same seed gives the same shapes and tokens."""

    def __init__(self, seed: int, shape: ShapeName = "genai", spans_per_body: int = SPANS_PER_BODY) -> None:
        self._random = np.random.default_rng(seed)
        self._spans = spans_per_body
        self._shape = _Encoded(SHAPES[shape], random.Random(seed))
        self._made = 0

    def body(self, end_ns: int, spread_ns: int = 1_000_000_000) -> Body:
        """A body whose spans end evenly over the `spread_ns` nanoseconds up to `end_ns` (since 1970)."""
        shape, count = self._shape, self._spans
        templates = self._random.integers(0, len(shape.spans), count)
        content, starts = shape.request(templates)
        durations_ns = self._random.integers(1_000_000, 4_000_000_000, count)
        body = Body(content, count, 0, shape, self._traces(), durations_ns, starts, templates)
        if "input_tokens" in shape.marks:
            self._write_numbers(body)
        body.renew(self._random, end_ns, spread_ns)
        self._made += 1
        return body

    def bodies(self, count: int, end_ns: int) -> list[Body]:
        """`count` bodies one after another in event time, at 100,000 spans a second; the last ends at `end_ns`."""
        spread_ns = self._spans * 1_000_000_000 // SPANS_PER_SECOND
        return [self.body(end_ns - (count - 1 - number) * spread_ns, spread_ns) for number in range(count)]

    def renew(self, body: Body, end_ns: int) -> Body:
        """The same body with new ids, and times up to `end_ns`."""
        body.renew(self._random, end_ns, self._spans * 1_000_000_000 // SPANS_PER_SECOND)
        return body

    def _traces(self) -> npt.NDArray[np.int64]:
        """For each span the trace of its body that it is of: one to eight spans make a trace."""
        sizes = self._random.integers(1, MOST_SPANS_OF_A_TRACE + 1, self._spans)
        return np.repeat(np.arange(self._spans), sizes)[: self._spans]

    def _write_numbers(self, body: Body) -> None:
        view = np.frombuffer(body.content, dtype=np.uint8)
        tokens = self._random.integers(LEAST_TOKENS, MOST_INPUT_TOKENS, body.spans)
        body.input_tokens = int(tokens.sum())
        body._write(view, "input_tokens", _varint(tokens))
        body._write(view, "output_tokens", _varint(self._random.integers(LEAST_TOKENS, MOST_OUTPUT_TOKENS, body.spans)))
        body._write(view, "cached_tokens", _varint(self._random.integers(LEAST_TOKENS, MOST_CACHED_TOKENS, body.spans)))
        users = [b"u-%04d" % user for user in self._random.integers(0, USERS, body.spans)]
        body._write(view, "user", np.frombuffer(b"".join(users), dtype=np.uint8).reshape(-1, len(USER)))
        conversations = [b"conv-%08d-%03d" % (self._made, trace) for trace in body._traces]
        body._write(view, "conversation", np.frombuffer(b"".join(conversations), dtype=np.uint8).reshape(-1, len(CONVERSATION)))


class _Encoded:
    """The spans of a shape, encoded, and where in each of them something is written."""

    def __init__(self, shape: Shape, texts: random.Random) -> None:
        scope = ScopeSpans()
        for _ in range(shape.templates):
            shape.add(scope, texts)
        self.spans = [ScopeSpans(spans=[span]).SerializeToString() for span in scope.spans]
        self._sizes = np.array([len(span) for span in self.spans], dtype=np.int64)
        marks = _MARKS if shape.numbered else {name: _MARKS[name] for name in ("trace", "span", "start", "end")}
        self.marks = {name: _places(self.spans, mark) for name, mark in marks.items()}
        named = ScopeSpans()
        named.scope.name, named.scope.version = shape.scope
        self._scope = named.SerializeToString()
        resource = ExportTraceServiceRequest().resource_spans.add()
        resource.resource.attributes.extend(_string(key, value) for key, value in shape.resource.items())
        self._resource = resource.SerializeToString()

    def request(self, templates: npt.NDArray[np.int64]) -> tuple[bytearray, Places]:
        """An export request of these spans, and where each of them begins."""
        spans = b"".join([self.spans[template] for template in templates])
        scope = _field(2, len(self._scope) + len(spans)) + self._scope
        request = _field(1, len(self._resource) + len(scope) + len(spans)) + self._resource + scope
        sizes = self._sizes[templates]
        return bytearray(request + spans), len(request) + np.cumsum(sizes) - sizes


def _genai(scope: ScopeSpans, texts: random.Random) -> Span:
    provider, model, response_model, address = texts.choice(MODELS)
    span = _span(scope, f"chat {model}")
    span.parent_span_id = PARENT
    strings = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": model,
        "gen_ai.response.model": response_model,
        "gen_ai.response.id": f"chatcmpl-{RESPONSE}",
        "gen_ai.conversation.id": CONVERSATION,
        "server.address": address,
        "user.id": USER,
        "tollbook.team": texts.choice(["search", "ads", "ml", "support", "platform"]),
        "tollbook.feature": texts.choice(["answer", "summary", "rewrite"]),
    }
    numbers = {
        "gen_ai.usage.input_tokens": INPUT_TOKENS,
        "gen_ai.usage.output_tokens": OUTPUT_TOKENS,
        "gen_ai.usage.cache_read.input_tokens": CACHED_TOKENS,
        "gen_ai.request.max_tokens": texts.choice([500, 1000, 4000]),
        "server.port": 443,
    }
    span.attributes.extend(_string(key, value) for key, value in strings.items())
    for key, number in numbers.items():
        span.attributes.add(key=key).value.int_value = number
    span.attributes.add(key="gen_ai.request.temperature").value.double_value = texts.choice([0.0, 0.2, 0.7, 1.0])
    finish = texts.choices(["stop", "length", "tool_calls"], [90, 2, 8])[0]
    span.attributes.add(key="gen_ai.response.finish_reasons").value.array_value.values.add(string_value=finish)
    return span


def _genai_with_prompts(scope: ScopeSpans, texts: random.Random) -> Span:
    span = _genai(scope, texts)
    asked, told = _message("user", _prose(texts, 1_850)), _message("assistant", _prose(texts, 740))
    span.attributes.extend([_string("gen_ai.input.messages", asked), _string("gen_ai.output.messages", told)])
    return span


def _loadgen(scope: ScopeSpans, texts: random.Random) -> Span:
    span = _span(scope, texts.choice(["lets-go", "okey-dokey"]))
    span.attributes.append(_string("net.sock.peer.addr", f"1.2.3.{texts.randrange(10, 100)}"))
    span.status.message = texts.choice(["done, retry not needed", "done after some retries"])
    return span


def _span(scope: ScopeSpans, name: str) -> Span:
    ids = {"trace_id": TRACE, "span_id": SPAN, "start_time_unix_nano": START, "end_time_unix_nano": END}
    return scope.spans.add(name=name, kind=Span.SPAN_KIND_CLIENT, **ids)


def _message(role: str, text: str) -> str:
    return f'[{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]}}]'


def _prose(texts: random.Random, size: int) -> str:
    """Words as often as their rank says, as in a language; about three to one under ZSTD, as prompts are."""
    return " ".join(texts.choices(_WORDS, cum_weights=_RANKS, k=size // 5))[:size]


def _string(key: str, value: str) -> KeyValue:
    attribute = KeyValue(key=key)
    attribute.value.string_value = value
    return attribute


def _field(number: int, size: int) -> bytes:
    """Beginning of a length-delimited protobuf field."""
    encoded = bytearray([number << 3 | 2])
    while size >= 128:
        encoded.append(size & 127 | 128)
        size >>= 7
    return bytes(encoded) + bytes([size])


def _places(spans: list[bytes], mark: bytes) -> Places:
    """Where the mark stands in each span, once."""
    if any(span.count(mark) != 1 for span in spans):
        raise AssertionError(f"{mark!r} does not stand in each span once")
    return np.array([span.find(mark) for span in spans], dtype=np.int64)


def _varint(values: npt.NDArray[np.int64]) -> Bytes:
    return np.stack([values & 127 | 128, values >> 7], axis=1).astype(np.uint8)


def _random(ids: np.random.Generator, rows: int, width: int) -> Bytes:
    return np.frombuffer(ids.bytes(rows * width), dtype=np.uint8).reshape(rows, width)


def _little_endian(times_ns: npt.NDArray[np.int64]) -> Bytes:
    return times_ns.astype("<i8").view(np.uint8).reshape(-1, 8)


def _words() -> tuple[list[str], list[float]]:
    letters = random.Random(7)
    words = ["".join(letters.choices("etaoinshrdlucmfwypvbgk", range(22, 0, -1), k=letters.randint(2, 9))) for _ in range(4_000)]
    total, ranks = 0.0, []
    for rank in range(1, len(words) + 1):
        total += 1 / rank
        ranks.append(total)
    return words, ranks


_WORDS, _RANKS = _words()
_MARKS = {
    "trace": TRACE,
    "span": SPAN,
    "parent": PARENT,
    "start": START.to_bytes(8, "little"),
    "end": END.to_bytes(8, "little"),
    "response": RESPONSE.encode(),
    "conversation": CONVERSATION.encode(),
    "user": USER.encode(),
    "input_tokens": _varint(np.array([INPUT_TOKENS])).tobytes(),
    "output_tokens": _varint(np.array([OUTPUT_TOKENS])).tobytes(),
    "cached_tokens": _varint(np.array([CACHED_TOKENS])).tobytes(),
}
_INSTRUMENTATION = ("opentelemetry.instrumentation.openai_v2", "2.1")
SHAPES: Mapping[ShapeName, Shape] = {
    "loadgen": Shape("loadgen", 1024, {"service.name": "loadgen"}, ("loadgen", ""), _loadgen, numbered=False),
    "genai": Shape("genai", 4096, GENAI_RESOURCE, _INSTRUMENTATION, _genai, numbered=True),
    "genai_msg": Shape("genai_msg", 2048, GENAI_RESOURCE, _INSTRUMENTATION, _genai_with_prompts, numbered=True),
}
"""121, 716 and 3,500 bytes a span; the last two with 17 attributes and more on a span and 11 on its resource."""
