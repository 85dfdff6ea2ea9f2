"""Unmodified OpenTelemetry clients: whatever the transport and the encoding, the same spans become identical rows."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import httpx2 as httpx
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode
from tollbook_collector.settings import Settings
from tollbook_schema.store import Store

from tests.collector.conftest import Running, run
from tests.collector.test_otlp_json import hex_ids

ROWS = "SELECT * EXCEPT (received_at) FROM spans ORDER BY span_id"


@pytest.fixture
def spans() -> Sequence[ReadableSpan]:
    """What an application makes: nested spans, all types of attributes, an event with an exception, a link, an error."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource({"service.name": "shop", "host.id": "h1", "process.pid": 42}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("shop.checkout", "1.2")
    with tracer.start_as_current_span("POST /checkout", kind=SpanKind.SERVER) as server:
        server.set_attribute("http.route", "/checkout")
        link = server.get_span_context()
    with tracer.start_as_current_span("chat gpt-4o", kind=SpanKind.CLIENT) as call:
        call.set_attributes({"gen_ai.request.model": "gpt-4o", "gen_ai.usage.input_tokens": 2**53 + 1, "ratio": 0.1, "ok": True})
        call.set_attribute("finish", ["stop", "length"])
        call.set_attribute("weights", [0.5, 2.0])
        call.set_attribute("text", "שלום 😀 \\ ' \x00")
        call.add_link(link, {"why": "retry"})
        call.record_exception(ValueError("no such model"))
        call.set_status(Status(StatusCode.ERROR, "no such model"))
    return memory.get_finished_spans()


def send_http(running: Running, spans: Sequence[ReadableSpan], compression: Compression) -> None:
    exporter = HttpExporter(endpoint=f"{running.http}/v1/traces", compression=compression)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()


def send_grpc(running: Running, spans: Sequence[ReadableSpan], compression: grpc.Compression) -> None:
    exporter = GrpcExporter(endpoint=running.grpc, insecure=True, compression=compression)
    assert exporter.export(spans) is SpanExportResult.SUCCESS
    exporter.shutdown()


def send_json(running: Running, spans: Sequence[ReadableSpan], compression: Compression) -> None:
    body = json.dumps(hex_ids(MessageToDict(encode_spans(spans), use_integers_for_enums=True)))
    assert httpx.post(f"{running.http}/v1/traces", content=body, headers={"content-type": "application/json"}).status_code == 200


WAYS = {
    "HTTP/protobuf": (send_http, Compression.NoCompression),
    "HTTP/protobuf gzip": (send_http, Compression.Gzip),
    "gRPC": (send_grpc, grpc.Compression.NoCompression),
    "gRPC gzip": (send_grpc, grpc.Compression.Gzip),
    "HTTP/JSON": (send_json, Compression.NoCompression),
}


def test_the_same_spans_become_identical_rows_by_every_way(store: Store, tmp_path: Path, spans: Sequence[ReadableSpan]) -> None:
    first_rows: list[dict[str, Any]] = []
    for number, (way, (send, compression)) in enumerate(WAYS.items()):
        for running in run(store, tmp_path / str(number), Settings(grpc_port=0, segment_ms=50)):
            send(running, spans, compression)
            running.wait()
        rows = store.query(ROWS)
        store.command("TRUNCATE TABLE spans")
        store.command("TRUNCATE TABLE body_claims")  # on a server a collector knows what others have stored
        assert len(rows) == 2, way
        first_rows = first_rows or rows
        assert rows == first_rows, way
    ids = {span.context.span_id.to_bytes(8, "big") for span in spans}
    assert {row["span_id"] for row in first_rows} == ids


def test_the_captures_of_a_node_client_become_identical_rows(running: Running, store: Store, shared_data: Path) -> None:
    captures = shared_data / "client_captures"

    def send(name: str, **headers: str) -> None:
        response = httpx.post(f"{running.http}/v1/traces", content=(captures / name).read_bytes(), headers=headers)
        assert (response.status_code, response.content) == (200, b"{}" if "json" in headers["content-type"] else b"")
        running.wait()

    send("node_http__001_v1_traces.json", **{"content-type": "application/json"})
    rows = store.query("SELECT name, attributes, attribute_types, events.name AS events FROM spans ORDER BY name")
    send("node_http_gzip__001_v1_traces.bin", **{"content-type": "application/json", "content-encoding": "gzip"})
    send("node_proto__001_v1_traces.bin", **{"content-type": "application/x-protobuf"})
    every = store.query("SELECT name, attributes, attribute_types, events.name AS events FROM spans ORDER BY name")
    assert len(rows) == 3
    assert every == [row for row in rows for _ in range(3)]
    assert rows[0]["attributes"]["big"] == "9007199254740992"
    assert rows[0]["attributes"]["nan"] == "nan"
    assert rows[0]["attributes"]["emoji"] == "\ufffd"
    assert rows[0]["attributes"]["arr"] == "[1,2]"
