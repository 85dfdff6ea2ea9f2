"""Numbered bodies of model calls: from a stored span its body can be told, and what a body costs is known."""

import time

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

TRACE, SPAN = b"\x01TRACE-SOAK\x02MARK", b"\x03SPAN-M\x04"
START, END = 0x7E57AB1E00000001, 0x7E57AB1E00000002
DURATION_NS = 250_000_000
ATTRIBUTES: dict[str, str | int] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4o",
    "gen_ai.response.model": "gpt-4o-2024-08-06",
    "gen_ai.usage.input_tokens": 1000,
    "gen_ai.usage.output_tokens": 100,
    "tollbook.team": "search",
    "tollbook.workflow": "answers",
}

STORED = """
SELECT groupArray((body, spans, ids)) FROM (
    SELECT intDiv(reinterpretAsUInt64(reverse(span_id)), 1000) AS body, count() AS spans, uniqExact(trace_id, span_id) AS ids
    FROM spans GROUP BY body
)
"""
"""For each body its number, its rows and the distinct (trace_id, span_id) among them."""


class Bodies:
    """Makes export requests of `spans` spans; span n of body b has b * 1000 + n as its id, and is a trace of its own."""

    def __init__(self, spans: int = 64) -> None:
        assert spans <= 1000
        self.spans = spans
        request = ExportTraceServiceRequest()
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = "soak"
        scope = resource.scope_spans.add()
        for _ in range(spans):
            scope.spans.append(_span())
        self._encoded = request.SerializeToString()
        self._places = {mark: _places(self._encoded, mark) for mark in (TRACE, SPAN, _fixed(START), _fixed(END))}

    def body(self, number: int, end_ns: int | None = None, apart_ns: int = 0, duration_ns: int = DURATION_NS) -> bytes:
        """The body of that number; its first span ends at `end_ns`, now if not given, and each other one so much later."""
        end_ns = time.time_ns() if end_ns is None else end_ns
        content = bytearray(self._encoded)
        for span in range(self.spans):
            start, end = _fixed(end_ns + span * apart_ns - duration_ns), _fixed(end_ns + span * apart_ns)
            span_id = (number * 1000 + span).to_bytes(8, "big")
            for mark, value in ((TRACE, b"soaktest" + span_id), (SPAN, span_id), (_fixed(START), start), (_fixed(END), end)):
                place = self._places[mark][span]
                content[place : place + len(value)] = value
        return bytes(content)


def _span() -> Span:
    span = Span(trace_id=TRACE, span_id=SPAN, name="chat gpt-4o", kind=Span.SPAN_KIND_CLIENT,
                start_time_unix_nano=START, end_time_unix_nano=END)  # fmt: skip
    for key, value in ATTRIBUTES.items():
        if isinstance(value, int):
            span.attributes.add(key=key).value.int_value = value
        else:
            span.attributes.add(key=key).value.string_value = value
    return span


def _places(encoded: bytes, mark: bytes) -> list[int]:
    found, at = [], encoded.find(mark)
    while at >= 0:
        found.append(at)
        at = encoded.find(mark, at + 1)
    return found


def _fixed(value: int) -> bytes:
    return value.to_bytes(8, "little")
