"""Spans and metrics as OTLP, loaded through the store's public door."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span as OtlpSpan
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
"""Start of the hour that most tests live in."""

MS = 1_000_000
S = 1_000_000_000

KINDS = {
    "internal": OtlpSpan.SPAN_KIND_INTERNAL,
    "server": OtlpSpan.SPAN_KIND_SERVER,
    "client": OtlpSpan.SPAN_KIND_CLIENT,
    "producer": OtlpSpan.SPAN_KIND_PRODUCER,
    "consumer": OtlpSpan.SPAN_KIND_CONSUMER,
}


@dataclass
class Span:
    """A span to store. Times are nanoseconds after `NOON`; ids are small numbers, 0 for no parent."""

    trace: int
    span: int
    parent: int = 0
    name: str = "work"
    start_ns: int = 0
    duration_ns: int = S
    kind: str = "internal"
    error: bool = False
    scope: str = "test"
    service: str = "svc"
    resource: Mapping[str, Any] = field(default_factory=dict)
    attributes: Mapping[str, Any] = field(default_factory=dict)


def chat(trace: int, span: int, parent: int = 0, **values: Any) -> Span:
    """A chat call; token counts, model and provider as keywords, everything else as for `Span`."""
    keys = {
        "model": A.GEN_AI_REQUEST_MODEL,
        "response_model": A.GEN_AI_RESPONSE_MODEL,
        "provider": A.GEN_AI_PROVIDER_NAME,
        "operation": A.GEN_AI_OPERATION_NAME,
        "input": A.GEN_AI_USAGE_INPUT_TOKENS,
        "output": A.GEN_AI_USAGE_OUTPUT_TOKENS,
        "cache_read": A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
        "cache_write": A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
        "reasoning": A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
        "response_id": A.GEN_AI_RESPONSE_ID,
        "service_tier": A.OPENAI_RESPONSE_SERVICE_TIER,
    }
    given = {"model": "gpt-4o", "provider": "openai", "operation": "chat"} | values
    attributes = {key: given.pop(word) for word, key in keys.items() if given.get(word) is not None}
    fields = {word: value for word, value in given.items() if word not in keys}
    more = fields.pop("attributes", {})
    return Span(trace, span, parent, **{"name": "chat", "kind": "client", **fields, "attributes": attributes | more})


@dataclass
class Point:
    """A metric's data point. `cumulative` makes a monotonic sum, else it is a gauge."""

    name: str
    value: float
    time_ns: int = 0
    cumulative: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)
    resource: Mapping[str, Any] = field(default_factory=dict)
    service: str = "svc"


@dataclass
class Intake:
    """Loads spans and metrics into the store as the collector does: one segment, one token."""

    store: Store
    folder: Path

    def spans(self, spans: Iterable[Span], at: datetime = NOON) -> None:
        """Stores spans whose times count from `at`."""
        self._load("spans", trace_request(spans, at).SerializeToString())

    def points(self, points: Iterable[Point], at: datetime = NOON) -> None:
        """Stores data points whose times count from `at`."""
        export = ExportMetricsServiceRequest()
        for point in points:
            _add_point(export, point, at)
        self._load("metrics", export.SerializeToString())

    def _load(self, signal: Any, body: bytes) -> None:
        segment = self.folder / f"{uuid.uuid4().hex}.otlp"
        segment.write_bytes(body)
        self.store.load(signal, segment, segment.stem, NOON + timedelta(hours=2))


def trace_request(spans: Iterable[Span], at: datetime = NOON) -> ExportTraceServiceRequest:
    """A request of spans whose times count from `at`."""
    export = ExportTraceServiceRequest()
    for span in spans:
        _add_span(export, span, at)
    return export


def trace_id(number: int) -> bytes:
    """The id of a trace of that number."""
    return number.to_bytes(16, "big")


def span_id(number: int) -> bytes:
    """The id of a span of that number."""
    return number.to_bytes(8, "big")


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp()) * S


def _add_span(export: ExportTraceServiceRequest, span: Span, at: datetime) -> None:
    resource_spans = export.resource_spans.add()
    resource_spans.resource.attributes.extend(_pairs({A.SERVICE_NAME: span.service, **span.resource}))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = span.scope
    start_ns = _nanoseconds(at) + span.start_ns
    scope_spans.spans.add(
        trace_id=trace_id(span.trace),
        span_id=span_id(span.span),
        parent_span_id=span_id(span.parent) if span.parent else b"",
        name=span.name,
        kind=KINDS[span.kind],
        start_time_unix_nano=start_ns,
        end_time_unix_nano=start_ns + span.duration_ns,
        status=Status(code=Status.STATUS_CODE_ERROR if span.error else Status.STATUS_CODE_UNSET),
        attributes=_pairs(span.attributes),
    )


def _add_point(export: ExportMetricsServiceRequest, point: Point, at: datetime) -> None:
    resource_metrics = export.resource_metrics.add()
    resource_metrics.resource.attributes.extend(_pairs({A.SERVICE_NAME: point.service, **point.resource}))
    metric = resource_metrics.scope_metrics.add().metrics.add(name=point.name)
    if point.cumulative:
        metric.sum.aggregation_temporality = 2
        metric.sum.is_monotonic = True
    data = (metric.sum if point.cumulative else metric.gauge).data_points.add()
    data.time_unix_nano = _nanoseconds(at) + point.time_ns
    data.as_double = point.value
    data.attributes.extend(_pairs(point.attributes))


def _pairs(attributes: Mapping[str, Any]) -> list[KeyValue]:
    return [_pair(key, value) for key, value in attributes.items()]


def _pair(key: str, value: Any) -> KeyValue:
    pair = KeyValue(key=key)
    if isinstance(value, bool):
        pair.value.bool_value = value
    elif isinstance(value, int):
        pair.value.int_value = value
    elif isinstance(value, float):
        pair.value.double_value = value
    elif isinstance(value, str):
        pair.value.string_value = value
    else:
        for item in value:
            pair.value.array_value.values.add().string_value = item
    return pair
