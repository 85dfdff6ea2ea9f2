"""OTLP/HTTP through the public door: a listening collector and a real store."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from backports import zstd
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from tollbook_collector.settings import Settings
from tollbook_schema.store import Store

from tests.collector.conftest import Running, run, trace_request

PROTOBUF = {"content-type": "application/x-protobuf"}
JSON = {"content-type": "application/json"}
GZIP = {"content-encoding": "gzip"}
ZSTD = {"content-encoding": "zstd"}

SPAN_IN_JSON: dict[str, Any] = {
    "traceId": "000102030405060708090A0B0C0D0E0F",
    "spanId": "0102030405060708",
    "name": "chat",
    "kind": 3,
    "startTimeUnixNano": "1795325799000000000",
    "endTimeUnixNano": "1795325799000001000",
}


def in_json(*spans: dict[str, Any]) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def post(running: Running, body: Any, headers: dict[str, str], path: str = "/v1/traces") -> httpx.Response:
    return httpx.post(running.http + path, content=body, headers=headers, timeout=20)


def span_ids(store: Store) -> list[str]:
    return [row["s"] for row in store.query("SELECT lower(hex(span_id)) AS s FROM spans ORDER BY s")]


def test_an_acknowledged_span_is_stored_with_its_ids(running: Running, store: Store) -> None:
    response = post(running, trace_request(first=258).SerializeToString(), PROTOBUF)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "application/x-protobuf"
    running.wait()
    assert store.query("SELECT lower(hex(trace_id)) AS t, lower(hex(span_id)) AS s, service_name, name FROM spans") == [
        {"t": "00000000000000000000000000000102", "s": "0000000000000102", "service_name": "shop", "name": "chat gpt-4o"}
    ]


def test_json_is_stored_and_answered_in_json(running: Running, store: Store) -> None:
    response = post(running, in_json(SPAN_IN_JSON), {"content-type": "application/json; charset=utf-8"})
    assert (response.status_code, response.json()) == (200, {})
    assert response.headers["content-type"] == "application/json"
    running.wait()
    assert store.query("SELECT hex(trace_id) AS t FROM spans") == [{"t": "000102030405060708090A0B0C0D0E0F"}]


def test_metrics_and_logs_are_stored(running: Running, store: Store) -> None:
    point = {"timeUnixNano": "1795325799000000000", "asInt": "7"}
    metric = {"name": "requests", "sum": {"dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": True}}
    metrics = {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}
    log = {"timeUnixNano": "1795325799000000000", "severityNumber": 9, "body": {"stringValue": "paid"}}
    logs = {"resourceLogs": [{"scopeLogs": [{"logRecords": [log]}]}]}
    assert post(running, json.dumps(metrics).encode(), JSON, "/v1/metrics").status_code == 200
    assert post(running, json.dumps(logs).encode(), JSON, "/v1/logs").status_code == 200
    running.wait()
    assert store.query("SELECT name, value_int FROM metrics") == [{"name": "requests", "value_int": 7}]
    assert store.query("SELECT body, severity_number FROM logs") == [{"body": "paid", "severity_number": 9}]


def test_the_address_of_langfuse_is_known(running: Running, store: Store) -> None:
    assert post(running, trace_request().SerializeToString(), PROTOBUF, "/api/public/otel/v1/traces").status_code == 200
    running.wait()
    assert span_ids(store) == ["0000000000000001"]


def test_a_body_in_pieces_without_a_length_is_taken(running: Running, store: Store) -> None:
    def pieces() -> Iterator[bytes]:
        compressed = gzip.compress(trace_request(2).SerializeToString())
        for place in range(0, len(compressed), 7):
            yield compressed[place : place + 7]

    assert post(running, pieces(), PROTOBUF | GZIP).status_code == 200
    running.wait()
    assert span_ids(store) == ["0000000000000001", "0000000000000002"]


def test_gzip_in_several_members_is_one_body(running: Running, store: Store) -> None:
    body = trace_request(2).SerializeToString()
    assert post(running, gzip.compress(body[:40]) + gzip.compress(body[40:]), PROTOBUF | GZIP).status_code == 200
    running.wait()
    assert span_ids(store) == ["0000000000000001", "0000000000000002"]


def test_zstd_in_several_frames_is_one_body(running: Running, store: Store) -> None:
    body = trace_request(2).SerializeToString()
    assert post(running, zstd.compress(body[:40]) + zstd.compress(body[40:]), PROTOBUF | ZSTD).status_code == 200
    running.wait()
    assert span_ids(store) == ["0000000000000001", "0000000000000002"]


@pytest.mark.parametrize("content_type", ["application/x-protobuf", "application/json"])
def test_an_empty_request_is_a_success(running: Running, content_type: str) -> None:
    body = b"" if content_type.endswith("protobuf") else b"{}"
    assert post(running, body, {"content-type": content_type}).status_code == 200


GOOD = trace_request().SerializeToString()
REFUSALS = {
    "garbage": (b"garbage", PROTOBUF, 400, 3, "not an OTLP export of traces"),
    "a body cut off": (GOOD[:-3], PROTOBUF, 400, 3, "goes beyond its message"),
    "another message": (b"\xf2\x01\x01x", PROTOBUF, 400, 3, "without one known field"),
    "no JSON": (b"{", JSON, 400, 3, "not JSON"),
    "no object": (b"[]", JSON, 400, 3, "an array instead of an object"),
    "JSON nested without end": (b'{"a":' * 100_000, JSON, 400, 3, "not JSON"),
    "logs sent to traces": (b'{"resourceLogs":[]}', JSON, 400, 3, "this is an export of logs, sent to traces"),
    "snake_case": (b'{"resource_spans":[]}', JSON, 400, 3, "keys are lowerCamelCase, resource_spans is not"),
    "no gzip": (b"plain text is no gzip", PROTOBUF | GZIP, 400, 3, "not gzip"),
    "plain text that ends before gzip's header would": (b"plain", PROTOBUF | GZIP, 400, 3, "gzip ends too early, after 5 bytes"),
    "nothing, said to be gzip": (b"", PROTOBUF | GZIP, 400, 3, "gzip ends too early, after 0 bytes"),
    "gzip that is not said to be": (gzip.compress(GOOD), PROTOBUF, 400, 3, "not an OTLP export of traces"),
    "gzip in gzip": (gzip.compress(gzip.compress(GOOD)), PROTOBUF | GZIP, 400, 3, "not an OTLP export of traces"),
    "gzip in gzip, and said to be": (b"x", PROTOBUF | {"content-encoding": "gzip, gzip"}, 415, 3, "gzip, gzip is not supported"),
    "gzip whose check is wrong": (gzip.compress(GOOD)[:-8] + bytes(8), PROTOBUF | GZIP, 400, 3, "not gzip"),
    "gzip cut off": (gzip.compress(GOOD)[:-4], PROTOBUF | GZIP, 400, 3, "gzip ends too early"),
    "rubbish after gzip": (gzip.compress(GOOD) + b"rubbish", PROTOBUF | GZIP, 400, 3, "gzip is followed by something else"),
    "deflate": (zlib.compress(GOOD), PROTOBUF | {"content-encoding": "deflate"}, 415, 3, "gzip and zstd are"),
    "brotli": (b"x", JSON | {"content-encoding": "br"}, 415, 3, "br is not supported; gzip and zstd are"),
    "snappy": (b"x", PROTOBUF | {"content-encoding": "snappy"}, 415, 3, "snappy is not supported; gzip and zstd are"),
    "zstd cut off": (zstd.compress(GOOD)[:-4], JSON | ZSTD, 400, 3, "zstd ends too early"),
    "no zstd": (b"plain text is no zstd", PROTOBUF | ZSTD, 400, 3, "not zstd"),
    "a bomb of zstd": (zstd.compress(bytes(100_000_000)), PROTOBUF | ZSTD, 413, 8, "decompresses to more than 2000000 bytes"),
    "text": (b"hello", {"content-type": "text/plain"}, 415, 3, "got text/plain"),
    "too large": (bytes(2_000_001), PROTOBUF, 413, 8, "larger than 2000000 bytes"),
    "a bomb": (gzip.compress(bytes(100_000_000)), JSON | GZIP, 413, 8, "decompresses to more than 2000000 bytes"),
}


@pytest.fixture
def small(store: Store, tmp_path: Path) -> Iterator[Running]:
    """A collector that takes 2 MB at most."""
    yield from run(store, tmp_path / "spool", Settings(grpc_port=-1, max_body_bytes=2_000_000, segment_ms=50))


def test_a_refusal_is_a_status_in_the_encoding_of_the_request(small: Running) -> None:
    for name, (body, headers, status, code, message) in REFUSALS.items():
        response = post(small, body, headers)
        assert response.status_code == status, name
        if headers["content-type"] == "application/x-protobuf":
            assert response.headers["content-type"] == "application/x-protobuf", name
            answer = Status.FromString(response.content)
            assert answer.code == code, name
            assert message in answer.message, name
        elif headers["content-type"] == "application/json":
            assert response.headers["content-type"] == "application/json", name
            assert response.json()["code"] == code, name
            assert message in response.json()["message"], name
        assert "retry-after" not in response.headers, name


def test_a_request_without_a_type_is_refused(running: Running) -> None:
    assert post(running, GOOD, {}).status_code == 415


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS"])
def test_only_post_is_taken(running: Running, method: str) -> None:
    response = httpx.request(method, f"{running.http}/v1/traces")
    assert (response.status_code, response.headers["allow"]) == (405, "POST")
    assert response.json()["code"] == 12


def test_one_bad_span_does_not_cost_the_good_ones(running: Running, store: Store) -> None:
    request = trace_request(3)
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = b"short"
    response = post(running, request.SerializeToString(), PROTOBUF)
    answer = ExportTraceServiceResponse.FromString(response.content)
    assert (response.status_code, answer.partial_success.rejected_spans) == (200, 1)
    assert "trace_id must be 16 bytes" in answer.partial_success.error_message
    running.wait()
    assert span_ids(store) == ["0000000000000001", "0000000000000003"]


def test_text_that_is_not_utf_8_is_kept_repaired_with_a_warning(running: Running, store: Store) -> None:
    body = trace_request(2, note="VALUE").SerializeToString().replace(b"VALUE", b"VAL\xffE", 1)
    response = post(running, body, PROTOBUF)
    answer = ExportTraceServiceResponse.FromString(response.content)
    assert (response.status_code, answer.partial_success.rejected_spans) == (200, 0)
    assert "1 spans, resources or scopes held text that is not UTF-8" in answer.partial_success.error_message
    running.wait()
    notes = store.query("SELECT attributes['note'] AS note FROM spans ORDER BY span_id")
    assert notes == [{"note": "VAL\ufffdE"}, {"note": "VALUE"}]


def test_one_bad_span_in_json_does_not_cost_the_good_ones(running: Running, store: Store) -> None:
    response = post(running, in_json(SPAN_IN_JSON, SPAN_IN_JSON | {"spanId": "xyz"}), JSON)
    assert response.status_code == 200
    assert response.json()["partialSuccess"]["rejectedSpans"] == "1"
    assert 'spanId must be hex, got "xyz"' in response.json()["partialSuccess"]["errorMessage"]
    running.wait()
    assert span_ids(store) == ["0102030405060708"]


def test_logs_sent_to_traces_in_protobuf_are_not_acknowledged_as_stored(running: Running) -> None:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=1, severity_text="INFO")
    response = post(running, request.SerializeToString(), PROTOBUF)
    assert ExportTraceServiceResponse.FromString(response.content).partial_success.rejected_spans == 1


def test_a_body_sent_again_is_acknowledged_and_stored_once(running: Running, store: Store) -> None:
    for _ in range(3):
        assert post(running, GOOD, PROTOBUF).status_code == 200
        running.wait()
    assert span_ids(store) == ["0000000000000001"]
    assert running.collector.counters.value("repeated_total", signal="traces") == 2


def test_a_full_spool_asks_to_come_back(store: Store, tmp_path: Path) -> None:
    for running in run(store, tmp_path / "spool", Settings(grpc_port=-1, spool_max_bytes=50)):
        response = post(running, GOOD, PROTOBUF)
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        status = Status.FromString(response.content)
        assert (status.code, status.message) == (14, "the spool is full: 0 bytes wait for the store")
        assert status.details[0].type_url == "type.googleapis.com/google.rpc.RetryInfo"


def test_more_in_flight_than_memory_allows_asks_to_come_back(store: Store, tmp_path: Path) -> None:
    for running in run(store, tmp_path / "spool", Settings(grpc_port=-1, max_in_flight_bytes=50)):
        response = post(running, GOOD, PROTOBUF)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        page = httpx.get(f"{running.http}/metrics").text
        assert "in_flight_bytes 0\n" in page
        assert "in_flight_requests 0\n" in page


def test_more_requests_at_a_time_than_are_taken_ask_to_come_back(store: Store, tmp_path: Path) -> None:
    for running in run(store, tmp_path / "spool", Settings(grpc_port=0, max_requests=1)):
        with running.collector.intake.request() as held:
            held.arrived = True
            running.collector.intake.requests = 1
            response = post(running, GOOD, PROTOBUF)
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert Status.FromString(response.content).message == "too many requests at a time: 1 are in work"
        assert post(running, GOOD, PROTOBUF).status_code == 200


def test_a_body_that_never_ends_is_given_up(store: Store, tmp_path: Path) -> None:
    for running in run(store, tmp_path / "spool", Settings(grpc_port=-1, body_timeout_ms=200)):
        host, port = running.http.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port)), timeout=10) as connection:
            connection.sendall(
                b"POST /v1/traces HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"
            )
            assert connection.recv(100).startswith(b"HTTP/1.1 503 ")


def test_health_and_counters_are_pages(running: Running) -> None:
    post(running, GOOD, PROTOBUF)
    post(running, b"garbage", PROTOBUF)
    running.wait()
    assert httpx.get(f"{running.http}/healthz").text == "ok\n"
    assert httpx.get(f"{running.http}/readyz").text == "ready\n"
    page = httpx.get(f"{running.http}/metrics").text
    assert 'tollbook_collector_accepted_total{signal="traces"} 1\n' in page
    assert 'tollbook_collector_refused_total{reason="bad_request"} 1\n' in page
    assert "tollbook_collector_spool_bytes 0\n" in page
    assert "tollbook_collector_spool_oldest_seconds 0\n" in page
