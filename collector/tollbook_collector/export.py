"""What of an export request can be kept. Pure: bytes in, bytes out.

A request is checked whole in C. Only where that fails, or where an id cannot be stored, is it walked, so that one bad record
does not cost the good ones beside it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from google.protobuf.message_factory import GetMessageClass
from google.protobuf.unknown_fields import UnknownFieldSet

from tollbook_collector import wire
from tollbook_collector.errors import BadRequestError
from tollbook_collector.signals import TRACES, Signal

NO_TRACE = bytes(16)
NO_SPAN = bytes(8)
MAX_DEPTH = 100
"""Messages inside messages that the parser takes."""


@dataclass(frozen=True)
class Export:
    """What is kept of a request."""

    body: bytes
    """An export request in protobuf."""
    records: int
    """Spans, data points or log records in it."""
    resources: int
    """Its ResourceSpans, ResourceMetrics or ResourceLogs: its only fields at the top, so that a segment can count them."""
    rejected: int = 0
    """Those that were sent and can never be stored."""
    reason: str = ""
    """Why the first of them cannot."""
    repaired: int = 0
    """Records, resources and scopes that held text that is not UTF-8: its bytes are U+FFFD in what is kept."""

    def after(self, rejected: int, reason: str) -> "Export":
        """The same with records that were rejected before."""
        return replace(self, rejected=self.rejected + rejected, reason=reason or self.reason)


def checked(signal: Signal, body: bytes) -> Export:
    """What of a protobuf request can be stored: all of it, or the good records of it.

    Raises:
        BadRequestError: it is no export request of this signal, or not one record of it can be read.
    """
    try:
        message = signal.request.FromString(body)
    except DecodeError as error:
        return _salvaged(signal, body, error)
    if body and not message.ListFields():
        raise BadRequestError(f"not an OTLP export of {signal.name}: {len(body)} bytes without one known field")
    if signal is TRACES and not ids_fit(message):
        return _salvaged(signal, body, None)
    if len(UnknownFieldSet(message)):
        body = b"".join(wire.tagged(1, resource.SerializeToString()) for resource in resources(signal, message))
    return Export(body, count(signal, message), len(resources(signal, message)))


def rewritten(signal: Signal, body: bytes) -> bytes:
    """The same request as our own library writes it, without fields that OTLP does not have."""
    message = signal.request.FromString(body)
    message.DiscardUnknownFields()
    return message.SerializeToString()


def ids_fit(request: Message) -> bool:
    """Whether all ids of a trace request fit their columns: 16 and 8 bytes, not all zero. 0.45 µs a span, parsing takes 0.7.

    The store cannot be asked, because what is acknowledged must be taken; a search of the bytes costs more than this walk.
    """
    for resource in cast(Any, request).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                trace_id, span_id, parent = span.trace_id, span.span_id, span.parent_span_id
                if len(trace_id) != 16 or len(span_id) != 8 or (parent and len(parent) != 8):
                    return False
                if trace_id == NO_TRACE or span_id == NO_SPAN or (span.links and not _links_fit(span)):
                    return False
    return True


def resources(signal: Signal, request: Message) -> Sequence[Message]:
    """What a request consists of at the top: its ResourceSpans, ResourceMetrics or ResourceLogs."""
    field = signal.request.DESCRIPTOR.fields_by_number[1].name
    return cast(Sequence[Message], getattr(request, field))


def count(signal: Signal, request: Message) -> int:
    """Spans, data points or log records of a request; per scope, or per metric, not per record."""
    message = cast(Any, request)
    if signal.name == "traces":
        return sum(len(scope.spans) for resource in message.resource_spans for scope in resource.scope_spans)
    if signal.name == "logs":
        return sum(len(scope.log_records) for resource in message.resource_logs for scope in resource.scope_logs)
    return sum(
        points(metric) for resource in message.resource_metrics for scope in resource.scope_metrics for metric in scope.metrics
    )


def points(metric: Message) -> int:
    """Data points of a metric, of whatever kind."""
    kind = metric.WhichOneof("data")
    return len(getattr(metric, kind).data_points) if kind else 0


def _links_fit(span: Any) -> bool:
    return all(len(link.trace_id) in (0, 16) and len(link.span_id) in (0, 8) for link in span.links)


def _salvaged(signal: Signal, body: bytes, error: DecodeError | None) -> Export:
    salvage = _Salvage(signal)
    try:
        kept = salvage.request(body)
    except wire.WireError as wire_error:
        raise BadRequestError(f"not an OTLP export of {signal.name}: {wire_error} of {len(body)}") from wire_error
    if error is not None and not salvage.records:
        raise BadRequestError(f"not an OTLP export of {signal.name}: {salvage.reason or error}") from error
    return Export(b"".join(kept), salvage.records, len(kept), salvage.rejected, salvage.reason, salvage.repaired)


class _Salvage:
    """Walks request, resource, scope; keeps the records that can be stored and counts the others."""

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.records = 0
        self.rejected = 0
        self.reason = ""
        self.repaired = 0

    def request(self, body: bytes) -> list[bytes]:
        """The resources that have good records, each as a field of the request; nothing else of it."""
        groups = (self._group(body, field, depth=0) for field in wire.fields(body) if _holds(field, 1))
        return [wire.tagged(1, kept) for kept in groups if kept]

    def _group(self, body: bytes, group: wire.Field, depth: int) -> bytes:
        """A resource (depth 0) or a scope (depth 1) with its good records; nothing where it has none, or is bad itself."""
        members = list(wire.fields(body, group.value, group.end))
        own = b"".join(body[field.start : field.end] for field in members if not _holds(field, 2))
        inner = [field for field in members if _holds(field, 2)]
        readable = self._readable(own, self._envelope(depth))
        if isinstance(readable, DecodeError):
            self._reject(sum(self._size(body, field, depth) for field in inner), str(readable))
            return b""
        keep = self._record if depth else self._scope
        kept = b"".join(wire.tagged(2, content) for field in inner if (content := keep(body, field)))
        return readable + kept if kept else b""

    def _scope(self, body: bytes, field: wire.Field) -> bytes:
        return self._group(body, field, depth=1)

    def _record(self, body: bytes, field: wire.Field) -> bytes:
        readable = self._readable(body[field.value : field.end], self.signal.record)
        if isinstance(readable, DecodeError):
            self._reject(self._size(body, field, 1), str(readable))
            return b""
        record = self.signal.record.FromString(readable)
        fault = _fault_of_ids(record) if self.signal is TRACES else ""
        if fault:
            self._reject(1, fault)
            return b""
        self.records += points(record) if self.signal.name == "metrics" else 1
        return readable

    def _envelope(self, depth: int) -> type[Message]:
        """Message of a resource with its scopes, or of a scope with its records."""
        resource: Any = self.signal.request.DESCRIPTOR.fields_by_number[1].message_type
        return GetMessageClass(resource.fields_by_number[2].message_type if depth else resource)

    def _readable(self, content: bytes, message: type[Message]) -> bytes | DecodeError:
        """The content as a message can be read from it, its text repaired where that is what is wrong; else what is wrong."""
        error = _fault(content, message)
        if error is None:
            return content
        try:
            text_repaired = _with_utf_8(cast(Descriptor, message.DESCRIPTOR), content, depth=0)
        except wire.WireError:
            return error
        if text_repaired == content or _fault(text_repaired, message) is not None:
            return error
        self.repaired += 1
        return text_repaired

    def _size(self, body: bytes, field: wire.Field, depth: int) -> int:
        if depth == 0:
            scope = (inner for inner in wire.fields(body, field.value, field.end) if _holds(inner, 2))
            return sum(self._size(body, inner, 1) for inner in scope)
        return _points_on_the_wire(body[field.value : field.end]) if self.signal.name == "metrics" else 1

    def _reject(self, records: int, reason: str) -> None:
        self.rejected += records
        self.reason = self.reason or reason


def _fault(content: bytes, message: type[Message]) -> DecodeError | None:
    try:
        message.FromString(content)
    except DecodeError as error:
        return error
    return None


def _with_utf_8(message: Descriptor, content: bytes, depth: int) -> bytes:
    """A message whose text is UTF-8: bytes that are not become U+FFFD, everything else stays as it is.

    Raises:
        WireError: it is no message, or one that is nested deeper than can be read.
    """
    if depth > MAX_DEPTH:
        raise wire.WireError(f"nested more than {MAX_DEPTH} deep")
    parts = []
    for field in wire.fields(content):
        known = message.fields_by_number.get(field.number)
        value = content[field.value : field.end]
        if known is not None and field.kind == wire.BYTES and known.type == FieldDescriptor.TYPE_STRING:
            parts.append(wire.tagged(field.number, value.decode("utf-8", "replace").encode()))
        elif known is not None and field.kind == wire.BYTES and known.message_type is not None:
            parts.append(wire.tagged(field.number, _with_utf_8(known.message_type, value, depth + 1)))
        else:
            parts.append(content[field.start : field.end])
    return b"".join(parts)


def members(data: bytes, start: int, end: int, number: int) -> Iterator[wire.Field]:
    """The length-delimited fields `number` of the message in `data[start:end]`."""
    return (field for field in wire.fields(data, start, end) if _holds(field, number))


def _holds(field: wire.Field, number: int) -> bool:
    return field.number == number and field.kind == wire.BYTES


def _fault_of_ids(record: Message) -> str:
    span = cast(Any, record)
    if len(span.trace_id) != 16 or span.trace_id == NO_TRACE:
        return f"trace_id must be 16 bytes and not all zero, got {span.trace_id.hex() or 'none'}"
    if len(span.span_id) != 8 or span.span_id == NO_SPAN:
        return f"span_id must be 8 bytes and not all zero, got {span.span_id.hex() or 'none'}"
    if len(span.parent_span_id) not in (0, 8):
        return f"parent_span_id must be 8 bytes or none, got {span.parent_span_id.hex()}"
    return "" if _links_fit(span) else "ids of a link must be 16 and 8 bytes"


def _points_on_the_wire(metric: bytes) -> int:
    """Data points of a metric that cannot be read whole; at least one."""
    try:
        data = [field for field in wire.fields(metric) if field.kind == wire.BYTES and field.number in (5, 7, 9, 10, 11)]
        return max(1, sum(_count(wire.fields(metric, field.value, field.end)) for field in data))
    except wire.WireError:
        return 1


def _count(found: Iterable[wire.Field]) -> int:
    return sum(_holds(field, 1) for field in found)
