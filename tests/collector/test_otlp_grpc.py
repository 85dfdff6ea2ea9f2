"""OTLP/gRPC through the public door."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tollbook_collector.collector import Collector
from tollbook_collector.settings import Settings
from tollbook_schema.store import Store

from tests.collector.conftest import Running, run, trace_request

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"


def call(running: Running, body: bytes, method: str = TRACES, compression: grpc.Compression | None = None) -> bytes:
    with grpc.insecure_channel(running.grpc, options=[("grpc.max_send_message_length", -1)]) as channel:
        return bytes(channel.unary_unary(method)(body, timeout=20, compression=compression))


def refused(running: Running, body: bytes, compression: grpc.Compression | None = None) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as refusal:
        call(running, body, compression=compression)
    return refusal.value


def status(error: grpc.RpcError) -> status_pb2.Status:
    return status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])


@pytest.mark.parametrize("compression", list(grpc.Compression))
def test_an_acknowledged_span_is_stored(running: Running, store: Store, compression: grpc.Compression) -> None:
    assert call(running, trace_request(3).SerializeToString(), compression=compression) == b""
    running.wait()
    assert store.query("SELECT count() AS n, uniqExact(span_id) AS u FROM spans") == [{"n": 3, "u": 3}]


def test_metrics_and_logs_are_stored(running: Running, store: Store) -> None:
    metrics = ExportMetricsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="load")
    metric.gauge.data_points.add(as_double=0.5, time_unix_nano=1_795_325_799_000_000_000)
    logs = ExportLogsServiceRequest()
    log = logs.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1_795_325_799_000_000_000)
    log.body.string_value = "paid"
    call(running, metrics.SerializeToString(), METRICS)
    call(running, logs.SerializeToString(), LOGS)
    running.wait()
    assert store.query("SELECT name, value FROM metrics") == [{"name": "load", "value": 0.5}]
    assert store.query("SELECT body FROM logs") == [{"body": "paid"}]


def test_garbage_is_refused_for_good(running: Running) -> None:
    error = refused(running, b"garbage")
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "not an OTLP export of traces" in error.details()
    assert status(error).code == 3
    assert not status(error).details


def test_one_bad_span_does_not_cost_the_good_ones(running: Running) -> None:
    request = trace_request(2)
    request.resource_spans[0].scope_spans[0].spans[0].span_id = bytes(8)
    answer = ExportTraceServiceResponse.FromString(call(running, request.SerializeToString()))
    assert answer.partial_success.rejected_spans == 1


@pytest.fixture
def small(store: Store, tmp_path: Path) -> Iterator[Running]:
    """A collector that takes 2 MB at most and keeps 1 KB."""
    yield from run(store, tmp_path / "spool", Settings(grpc_port=0, max_body_bytes=2_000_000, spool_max_bytes=1000))


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_body_too_large_is_refused_for_good(small: Running, compression: grpc.Compression) -> None:
    error = refused(small, bytes(20_000_000), compression)
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
    assert not status_pb2.Status.FromString(details).details  # a RetryInfo would say that trying again helps


def test_a_full_spool_asks_to_come_back(small: Running) -> None:
    error = refused(small, trace_request(20).SerializeToString())
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    retry = error_details_pb2.RetryInfo()
    assert status(error).details[0].Unpack(retry)
    assert retry.retry_delay.seconds == 5


def test_a_taken_port_is_named(running: Running, store: Store, tmp_path: Path) -> None:
    other = Collector(store, tmp_path / "other", Settings(grpc_port=int(running.grpc.split(":")[1])))
    with pytest.raises(OSError, match=r"cannot listen on 127\.0\.0\.1:"):
        asyncio.run(start_and_stop(other))


async def start_and_stop(collector: Collector) -> None:
    try:
        await collector.start()
    finally:
        await collector.stop()
