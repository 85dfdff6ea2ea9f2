"""Seeded OTLP bodies of GenAI spans: 17 attributes on a span, 11 on its resource, about 716 bytes a span.

A few base bodies are encoded by protobuf; each further body is one of them with fresh ids and times
written in place.
"""

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import ScopeSpans, Span

BASES = 16
RESOURCE = {
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
TRACE_MARK, SPAN_MARK, PARENT_MARK = b"\x01TRACE-TOLLBOOK\x02", b"\x03SPAN__\x04", b"\x05PARNT_\x06"
RESPONSE_MARK = "chatcmpl-@@RESPONSE-ID-OF-32-CHARACTERS@@"
BODY_MARK = "conversation-of-body-########"
START_MARK, END_MARK = 0x7E57AB1E00000001, 0x7E57AB1E00000002
HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)

Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Body:
    """One export request and what it must add to the store."""

    content: bytes
    spans: int
    input_tokens: int


class Payload:
    """Makes bodies of `spans_per_body` spans each, all ids unique; the same seed gives the same shapes and tokens."""

    def __init__(self, seed: int, spans_per_body: int = 512) -> None:
        shapes = random.Random(seed)
        self._ids = np.random.default_rng(seed)
        self._spans = spans_per_body
        self._bases = [_Base(shapes, spans_per_body) for _ in range(BASES)]
        self._made = 0

    def body(self, end_ns: int, spread_ns: int = 1_000_000_000) -> Body:
        """A body whose spans end evenly over the `spread_ns` nanoseconds up to `end_ns` (since 1970)."""
        base = self._bases[self._made % BASES]
        ends = end_ns - np.linspace(spread_ns, 0, self._spans, dtype=np.int64)
        content = base.fresh(self._ids, f"conversation-of-body-{self._made:08d}".encode(), ends)
        self._made += 1
        return Body(content, self._spans, base.input_tokens)

    def bodies(self, count: int, end_ns: int) -> list[Body]:
        """`count` bodies whose spans end in the second before `end_ns`."""
        return [self.body(end_ns) for _ in range(count)]


class _Base:
    """An encoded body and the places in it that differ from body to body."""

    def __init__(self, shapes: random.Random, spans: int) -> None:
        export = ExportTraceServiceRequest()
        resource_spans = export.resource_spans.add()
        resource_spans.resource.attributes.extend(_string(key, value) for key, value in RESOURCE.items())
        scope = resource_spans.scope_spans.add()
        scope.scope.name, scope.scope.version = "opentelemetry.instrumentation.openai_v2", "2.1"
        self.durations_ns = np.array([shapes.randrange(10**9) for _ in range(spans)], dtype=np.int64)
        self.input_tokens = sum(_add_span(scope, shapes) for _ in range(spans))
        encoded = export.SerializeToString()
        self._bytes = np.frombuffer(encoded, dtype=np.uint8)
        self._trace = _places(encoded, TRACE_MARK, spans)
        self._span = _places(encoded, SPAN_MARK, spans)
        self._parent = _places(encoded, PARENT_MARK, spans)
        self._response = _places(encoded, RESPONSE_MARK.encode()[9:], spans)
        self._body = _places(encoded, BODY_MARK.encode(), spans)
        self._start = _places(encoded, START_MARK.to_bytes(8, "little"), spans)
        self._end = _places(encoded, END_MARK.to_bytes(8, "little"), spans)

    def fresh(self, ids: np.random.Generator, name: bytes, ends_ns: npt.NDArray[np.int64]) -> bytes:
        body = self._bytes.copy()
        for places in (self._trace, self._span, self._parent):
            body[places] = ids.integers(1, 256, places.shape, dtype=np.uint8)
        body[self._response] = HEX[ids.integers(0, 16, self._response.shape)]
        body[self._body] = np.frombuffer(name, dtype=np.uint8)
        body[self._start] = _little_endian(ends_ns - self.durations_ns)
        body[self._end] = _little_endian(ends_ns)
        return body.tobytes()


def _add_span(scope: ScopeSpans, shapes: random.Random) -> int:
    span = scope.spans.add(
        trace_id=TRACE_MARK,
        span_id=SPAN_MARK,
        parent_span_id=PARENT_MARK,
        name="chat gpt-4o",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=START_MARK,
        end_time_unix_nano=END_MARK,
    )
    input_tokens = shapes.randrange(5000)
    strings = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "gen_ai.response.model": "gpt-4o-2024-08-06",
        "gen_ai.response.id": RESPONSE_MARK,
        "gen_ai.conversation.id": BODY_MARK,
        "server.address": "api.openai.com",
        "user.id": f"u{shapes.randrange(500)}",
        "tollbook.team": shapes.choice(["search", "ads", "ml"]),
        "tollbook.feature": "answer",
    }
    numbers = {
        "gen_ai.usage.input_tokens": input_tokens,
        "gen_ai.usage.output_tokens": shapes.randrange(800),
        "gen_ai.usage.cache_read.input_tokens": shapes.randrange(500),
        "gen_ai.request.max_tokens": 1000,
        "server.port": 443,
    }
    span.attributes.extend(_string(key, value) for key, value in strings.items())
    for key, number in numbers.items():
        span.attributes.add(key=key).value.int_value = number
    span.attributes.add(key="gen_ai.request.temperature").value.double_value = 0.7
    span.attributes.add(key="gen_ai.response.finish_reasons").value.array_value.values.add(string_value="stop")
    return input_tokens


def _string(key: str, value: str) -> KeyValue:
    attribute = KeyValue(key=key)
    attribute.value.string_value = value
    return attribute


def _places(encoded: bytes, mark: bytes, spans: int) -> npt.NDArray[np.intp]:
    """Indices of each occurrence's bytes, one row a span."""
    found, at = [], encoded.find(mark)
    while at >= 0:
        found.append(at)
        at = encoded.find(mark, at + 1)
    if len(found) != spans:
        raise AssertionError(f"{mark!r} found {len(found)} times in a body of {spans} spans")
    return np.array(found)[:, None] + np.arange(len(mark))


def _little_endian(times_ns: npt.NDArray[np.int64]) -> Bytes:
    return times_ns.astype("<i8").view(np.uint8).reshape(-1, 8)
