"""A collector over the shared store, its spans, and real exporters of the OpenTelemetry SDK."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_collector import otlp_http
from tollbook_collector.collector import Collector
from tollbook_collector.connection import Connection
from tollbook_collector.settings import Settings
from tollbook_schema.store import Store


@dataclass(frozen=True)
class Running:
    """A collector that listens."""

    collector: Collector
    http: str
    grpc: str
    wait: Callable[[], None]
    """Returns once everything acknowledged is in the store."""


@pytest.fixture
def running(store: Store, tmp_path: Path) -> Iterator[Running]:
    """A collector on free ports, in a thread with an event loop of its own."""
    yield from run(store, tmp_path / "spool", Settings(grpc_port=0, segment_ms=50))


def run(store: Store, spool_dir: Path, settings: Settings, **guards: Any) -> Iterator[Running]:
    """Starts a collector, gives it, stops it."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def on_loop(coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)

    collector = Collector(store, spool_dir, settings, **guards)
    on_loop(collector.start())
    config = uvicorn.Config(otlp_http.app(collector), port=0, log_level="error", lifespan="off", ws="none", http=Connection)
    server = uvicorn.Server(config)
    serving = asyncio.run_coroutine_threadsafe(server.serve(), loop)
    while not server.started:
        on_loop(asyncio.sleep(0.005))
    port = server.servers[0].sockets[0].getsockname()[1]

    def settled() -> None:
        while not collector.settled:
            time.sleep(0.005)

    try:
        yield Running(collector, f"http://127.0.0.1:{port}", f"127.0.0.1:{collector.grpc_port}", settled)
    finally:
        server.should_exit = True
        serving.result(20)
        on_loop(collector.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


def trace_request(spans: int = 1, first: int = 1, **attributes: str) -> ExportTraceServiceRequest:
    """A request of `spans` spans whose ids count up from `first`."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "shop"
    scope = resource.scope_spans.add()
    for number in range(first, first + spans):
        span = scope.spans.add(
            trace_id=number.to_bytes(16, "big"),
            span_id=number.to_bytes(8, "big"),
            name="chat gpt-4o",
            kind=3,
            start_time_unix_nano=1_795_325_799_000_000_000 + number,
            end_time_unix_nano=1_795_325_799_000_001_000 + number,
        )
        for key, value in attributes.items():
            span.attributes.add(key=key).value.string_value = value
    return request
