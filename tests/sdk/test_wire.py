"""Bytes that we write ourselves say what OpenTelemetry's encoder says."""

import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from tollbook.wire import KEYS_KEPT, VALUES_KEPT, Encoder, utf8, varint

TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=300)
PLAIN = st.one_of(
    TEXTS, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False), st.binary(max_size=200), st.none()
)
VALUES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=4).map(tuple) | st.dictionaries(TEXTS, inner, max_size=4), max_leaves=8
)
KEYS = st.sampled_from(["gen_ai.request.model", "gen_ai.usage.input_tokens", "simulated", "k" * 130]) | TEXTS
ATTRIBUTES = st.dictionaries(KEYS, VALUES, max_size=14)
FEW = st.dictionaries(KEYS, PLAIN, max_size=3)
MOMENTS = st.integers(0, 2**63)
CONTEXTS = st.builds(
    SpanContext,
    st.integers(1, 2**128 - 1),
    st.integers(1, 2**64 - 1),
    st.booleans(),
    st.sampled_from([TraceFlags(0), TraceFlags(1)]),
    st.sampled_from([TraceState(), TraceState([("rojo", "00f067aa0ba902b7"), ("congo", "t61rcWkgMzE")])]),
)
RESOURCES = [Resource({"service.name": "a", "n": 1}), Resource({}, "https://schema.example/1"), Resource({"list": ["x", "y"]})]
SCOPES = [
    InstrumentationScope("tollbook", "0.1", "https://schema.example/2", {"k": "v"}),
    InstrumentationScope("other", None),
    None,
]
SPANS = st.builds(
    ReadableSpan,
    name=TEXTS,
    context=CONTEXTS,
    parent=st.none() | CONTEXTS,
    resource=st.sampled_from(RESOURCES),
    attributes=ATTRIBUTES,
    events=st.lists(st.builds(Event, TEXTS, FEW, MOMENTS), max_size=3),
    links=st.lists(st.builds(Link, CONTEXTS, FEW), max_size=3),
    kind=st.sampled_from(list(SpanKind)),
    status=st.sampled_from([Status(), Status(StatusCode.OK), Status(StatusCode.ERROR), Status(StatusCode.ERROR, "it broke: ä")]),
    start_time=MOMENTS,
    end_time=MOMENTS,
    instrumentation_scope=st.sampled_from(SCOPES),
)


def said(spans: list[ReadableSpan], encoder: Encoder | None = None) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString((encoder or Encoder()).request(spans))


def by_id(request: ExportTraceServiceRequest) -> dict[tuple[bytes, bytes, bytes], bytes]:
    """Each span with its resource and scope, whatever the order of groups."""
    return {
        (of_resource.resource.SerializeToString(deterministic=True) + of_resource.schema_url.encode(),
         scope.scope.SerializeToString(deterministic=True) + scope.schema_url.encode(),
         span.SerializeToString(deterministic=True)): span.span_id
        for of_resource in request.resource_spans
        for scope in of_resource.scope_spans
        for span in scope.spans
    }  # fmt: skip


ENCODER = Encoder()
"""One for all examples, as in a program: what it keeps must never be taken for something else."""


@settings(max_examples=150, deadline=None)
@given(SPANS)
def test_any_span_is_what_opentelemetry_sends(any_span: ReadableSpan) -> None:
    assert same_as_theirs([any_span])


def test_ten_thousand_random_spans_are_what_opentelemetry_sends() -> None:
    chance = random.Random(20261122)
    for _ in range(20):
        assert same_as_theirs([random_span(chance) for _ in range(500)])


def same_as_theirs(spans: list[ReadableSpan]) -> bool:
    theirs = ExportTraceServiceRequest.FromString(encode_spans(spans).SerializeToString())
    return by_id(said(spans, ENCODER)) == by_id(theirs)


def random_span(chance: random.Random) -> ReadableSpan:
    def text() -> str:
        return "".join(chance.choices('abc ä€🚀\x00"', k=chance.choice((0, 3, 20, 130, 300))))

    def value(depth: int = 0) -> Any:
        kinds = (text, lambda: chance.randint(-(2**63), 2**63 - 1), lambda: chance.randrange(300), lambda: chance.random() < 0.5,
                 lambda: chance.uniform(-1e300, 1e300), lambda: chance.randbytes(chance.randrange(200)), lambda: None,
                 lambda: tuple(value(depth + 1) for _ in range(chance.randrange(4))),
                 lambda: {text(): value(depth + 1) for _ in range(chance.randrange(4))})  # fmt: skip
        return chance.choice(kinds[: 7 if depth > 3 else 9])()

    def pairs(most: int) -> dict[str, Any]:
        return {chance.choice(("model", "tokens", "simulated", text())): value() for _ in range(chance.randrange(most))}

    def context() -> SpanContext:
        state = TraceState([("rojo", "00f067aa0ba902b7"), ("congo", "t61")][: chance.randrange(3)])
        return SpanContext(chance.getrandbits(128) or 1, chance.getrandbits(64) or 1, chance.random() < 0.5, TraceFlags(1), state)

    return ReadableSpan(
        text(), context(), chance.choice((None, context())), chance.choice(RESOURCES), pairs(14),
        [Event(text(), pairs(3), chance.getrandbits(63)) for _ in range(chance.randrange(3))],
        [Link(context(), pairs(3)) for _ in range(chance.randrange(3))],
        chance.choice(list(SpanKind)), None, chance.choice((Status(), Status(StatusCode.OK), Status(StatusCode.ERROR, text()))),
        chance.getrandbits(63), chance.getrandbits(63), chance.choice(SCOPES),
    )  # fmt: skip


def test_equal_numbers_of_different_types_stay_apart() -> None:
    values: list[Any] = [1, True, 1.0, "1", 0, False, 0.0, "", -1, 2**62]
    for _ in range(2):
        for value in values:
            (sent,) = one(said([span(attributes={"k": value})], ENCODER)).attributes
            kind = {int: "int_value", bool: "bool_value", float: "double_value", str: "string_value"}[type(value)]
            assert (sent.value.WhichOneof("value"), getattr(sent.value, kind)) == (kind, value)


def test_what_no_type_can_say_is_text() -> None:
    (sent,) = one(said([span(attributes={"n": 2**70})])).attributes
    assert sent.value.string_value == str(2**70)
    (sent,) = one(said([span(attributes={"cut": "a\ud83d"})])).attributes
    assert sent.value.string_value == "a\ufffd"


def test_what_is_kept_is_bounded() -> None:
    encoder = Encoder()
    for number in range(VALUES_KEPT * 2):
        sent = one(said([span(attributes={"response": f"id-{number}", "tokens": number})], encoder))
        assert [value.value.string_value or value.value.int_value for value in sent.attributes] == [f"id-{number}", number]
    said([span(name=f"n{n}", attributes={f"k{n}": "v"}) for n in range(KEYS_KEPT + 10)], encoder)
    assert len(encoder._texts["response"]) == len(encoder._values[int]["tokens"]) == VALUES_KEPT
    assert max(len(encoder._texts), len(encoder._keys), len(encoder._names)) == KEYS_KEPT


def test_what_is_nested_too_deep_for_receivers_is_text_inside() -> None:
    for wrap in (lambda inner: (inner,), lambda inner: {"k": inner}):
        nested: Any = "core"
        for _ in range(200):
            nested = wrap(nested)
        assert one(said([span(attributes={"deep": nested})])).attributes[0].key == "deep"


def test_limits_of_the_application_hold() -> None:
    memory = InMemorySpanExporter()
    provider = TracerProvider(span_limits=SpanLimits(max_events=1, max_links=0, max_span_attributes=2), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("t").start_as_current_span("s", attributes={"a": 1, "b": 2, "c": 3}) as current:
        current.add_event("one")
        current.add_event("two")
        current.add_link(SpanContext(1, 2, is_remote=False))
    spans = list(memory.get_finished_spans())
    assert by_id(said(spans)) == by_id(encode_spans(spans))
    sent = one(said(spans))
    assert (sent.dropped_attributes_count, sent.dropped_events_count, sent.dropped_links_count) == (1, 1, 1)


@pytest.mark.parametrize("number", [0, 1, 127, 128, 300, 2**32, 2**63, 2**64 - 1])
def test_a_number_is_seven_bits_a_byte(number: int) -> None:
    read = sum((byte & 127) << 7 * place for place, byte in enumerate(varint(number)))
    assert read == number


def test_text_is_utf8() -> None:
    assert utf8("grün 🚀") == "grün 🚀".encode()


def span(name: str = "s", attributes: dict[str, Any] | None = None) -> ReadableSpan:
    return ReadableSpan(
        name, SpanContext(1, 2, is_remote=False), resource=RESOURCES[0], attributes=attributes, start_time=1, end_time=2
    )


def one(request: ExportTraceServiceRequest) -> Span:
    return request.resource_spans[0].scope_spans[0].spans[0]
