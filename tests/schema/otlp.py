"""OTLP export requests built by hand, and their way into the store through a segment file."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tollbook_schema.store import Signal, Store

RECEIVED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
START_NS = 1_795_000_000_123_456_789
TRACE_ID = bytes(range(16))
SPAN_ID = bytes(range(8))


def value(plain: Any) -> AnyValue:
    """A Python value as an AnyValue; None is a value that says nothing."""
    any_value = AnyValue()
    if isinstance(plain, bool):
        any_value.bool_value = plain
    elif isinstance(plain, int):
        any_value.int_value = plain
    elif isinstance(plain, float):
        any_value.double_value = plain
    elif isinstance(plain, str):
        any_value.string_value = plain
    elif isinstance(plain, bytes):
        any_value.bytes_value = plain
    elif isinstance(plain, Mapping):
        any_value.kvlist_value.values.extend(attributes(plain))
    elif isinstance(plain, Sequence):
        any_value.array_value.values.extend(value(item) for item in plain)
    return any_value


def attributes(plain: Mapping[str, Any]) -> list[KeyValue]:
    """Attributes of a dictionary."""
    return [KeyValue(key=key, value=value(item)) for key, item in plain.items()]


def span(plain: Mapping[str, Any] | None = None, **fields: Any) -> Span:
    """A span of 1 µs with these attributes."""
    given = {"trace_id": TRACE_ID, "span_id": SPAN_ID, "name": "s", "start_time_unix_nano": START_NS}
    return Span(**{**given, "end_time_unix_nano": START_NS + 1000, **fields}, attributes=attributes(plain or {}))


def export(*spans: Span, resource: Mapping[str, Any] | None = None) -> ExportTraceServiceRequest:
    """One export request of these spans under one resource."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(attributes(resource or {}))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name, scope_spans.scope.version = "test", "1"
    scope_spans.spans.extend(spans)
    return request


def load(store: Store, folder: Path, *requests: Message, signal: Signal = "spans", token: str | None = None) -> None:
    """Writes the requests into one segment and loads it."""
    body = b"".join(request.SerializeToString() for request in requests)
    segment = folder / f"{sha256(body).hexdigest()}.segment"
    segment.write_bytes(body)
    store.load(signal, segment, token or sha256(body).hexdigest(), RECEIVED_AT)
