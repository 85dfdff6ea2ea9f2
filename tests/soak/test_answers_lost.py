"""Answers that never arrive: real exporters send again what was stored already."""

import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tests.soak.figures import Fault
from tests.soak.proxy import Proxy, alternately, proxied
from tests.soak.server import Server

EXPORTERS = 20
SPANS = 4
ROWS = "SELECT lower(hex(span_id)), count() FROM spans GROUP BY span_id LIMIT 10000"


@pytest.mark.slow
@pytest.mark.fault("R11", "the answer is lost and the exporter sends again", "every span stored once")
def test_what_real_exporters_send_again_is_stored_once(fault: Fault, tmp_path: Path) -> None:
    losses = fault.size(EXPORTERS, soak=1000)
    server = Server(tmp_path / "data")
    server.start()
    sent: Counter[str] = Counter()
    for transport in ("http", "grpc"):
        spans, cuts, failed = _export(transport, server, losses)
        sent += spans
        assert failed == 0
        fault.found(
            f"{cuts:,} answers lost, {len(spans):,} spans", what=f"{transport}: the answer is lost, the exporter sends again"
        )
        assert cuts >= losses
    server.until_loaded()
    stored = Counter({span: int(count) for span, count in server.ask(ROWS)})
    server.stop()
    doubled, lost = stored - sent, sent - stored
    fault.found(f"{lost.total():,} of {sent.total():,} spans lost, {doubled.total():,} doubled", what="both: what is stored then")
    assert (lost.total(), doubled.total()) == (0, 0)


def _export(transport: str, server: Server, losses: int) -> tuple[Counter[str], int, int]:
    """Exports until so many answers were lost; span ids sent, answers lost, exports that failed for their exporter."""
    sent: Counter[str] = Counter()
    lock = threading.Lock()

    def run(exports: int) -> tuple[int, int]:
        with proxied(server.http_port if transport == "http" else server.grpc_port) as proxy:
            proxy.cutting = alternately()
            with _exporter(transport, proxy) as exporter:
                failed = 0
                for _ in range(exports):
                    spans = _spans()
                    failed += exporter.export(spans) is not SpanExportResult.SUCCESS
                    with lock:
                        sent.update(f"{span.context.span_id:016x}" for span in spans if span.context)
            return proxy.cuts, failed

    with ThreadPoolExecutor(EXPORTERS) as threads:
        results = list(threads.map(run, [losses // EXPORTERS] * EXPORTERS))
    return sent, sum(cuts for cuts, _ in results), sum(failed for _, failed in results)


@contextmanager
def _exporter(transport: str, proxy: Proxy) -> Iterator[SpanExporter]:
    exporter: SpanExporter
    if transport == "http":
        exporter = HttpExporter(endpoint=f"http://127.0.0.1:{proxy.port}/v1/traces", timeout=30)
    else:
        exporter = GrpcExporter(endpoint=f"http://127.0.0.1:{proxy.port}", insecure=True, timeout=30)
    try:
        yield exporter
    finally:
        exporter.shutdown()


def _spans() -> list[ReadableSpan]:
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("soak")
    for number in range(SPANS):
        tracer.start_span(f"step {number}").end()
    return list(memory.get_finished_spans())
