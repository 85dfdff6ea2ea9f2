"""Who may send: every path and every method asks for a key, and the key says whose data it is."""

import base64
import logging
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.rpc import status_pb2
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from tollbook_collector.otlp_http import EXPORTS
from tollbook_collector.settings import Settings
from tollbook_collector.signals import SIGNALS
from tollbook_schema.keys import Keys
from tollbook_schema.store import Store

from tests.collector.conftest import Running, run, trace_request

METHODS = [
    *(f"/{signal.service}/Export" for signal in SIGNALS.values()),
    f"/{SIGNALS['traces'].service}/Import",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.health.v1.Health/Check",
    "/nothing/at.all",
]
WRONG = ["", f"tb_{'0' * 12}_{'0' * 64}", "tb_", "Bearer"]


@pytest.fixture
def keys(store: Store, tmp_path: Path) -> Keys:
    return Keys(store, tmp_path / "keys.json")


@pytest.fixture
def guarded(store: Store, keys: Keys, tmp_path: Path) -> Iterator[Running]:
    """A collector that asks for keys."""
    yield from run(store, tmp_path / "spool", Settings(grpc_port=0, segment_ms=50), keys=keys)


def call(address: str, method: str, *metadata: tuple[str, str]) -> grpc.StatusCode:
    with grpc.insecure_channel(address) as channel:
        try:
            channel.unary_unary(method)(trace_request().SerializeToString(), metadata=metadata, timeout=20)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            return code
    return grpc.StatusCode.OK


def post(url: str, headers: dict[str, str], method: str = "POST") -> tuple[int, str, bytes]:
    body = trace_request().SerializeToString()
    sent = {"content-type": "application/x-protobuf", **headers}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, sent, method=method), timeout=20) as response:
            return response.status, "", response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("www-authenticate", ""), error.read()


@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("method", METHODS)
def test_every_grpc_method_asks_for_a_key(guarded: Running, method: str, wrong: str) -> None:
    headers = [("authorization", f"Bearer {wrong}"), ("x-api-key", wrong)] if wrong else []
    assert call(guarded.grpc, method, *headers) is grpc.StatusCode.UNAUTHENTICATED


def test_a_key_that_only_reads_cannot_send(guarded: Running, keys: Keys) -> None:
    key = keys.create("reader", "acme", ["read"])
    for method in METHODS:
        assert call(guarded.grpc, method, ("x-api-key", key)) is grpc.StatusCode.PERMISSION_DENIED
    for path in EXPORTS:
        assert post(guarded.http + path, {"x-api-key": key})[0] == 403


def test_with_a_key_the_right_methods_are_there_and_the_wrong_ones_are_not(guarded: Running, keys: Keys) -> None:
    key = ("authorization", f"Bearer {keys.create('sender', 'acme', ['ingest'])}")
    assert call(guarded.grpc, METHODS[0], key) is grpc.StatusCode.OK
    assert call(guarded.grpc, METHODS[-1], key) is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("method", ["POST", "GET", "PUT", "OPTIONS", "DELETE"])
@pytest.mark.parametrize("path", EXPORTS)
def test_every_export_path_asks_for_a_key(guarded: Running, path: str, method: str) -> None:
    for wrong in WRONG:
        status, challenge, answer = post(guarded.http + path, {"authorization": f"Bearer {wrong}"} if wrong else {}, method)
        assert (status, challenge) == (401, 'Bearer realm="tollbook"')
        assert status_pb2.Status.FromString(answer).message.startswith("this server takes nothing without a valid key")


@pytest.mark.parametrize("form", ["Bearer {key}", "bearer {key}", "Basic {basic}"])
def test_a_key_is_taken_in_every_form_that_sdks_send(guarded: Running, keys: Keys, form: str) -> None:
    key = keys.create("sender", "acme", ["ingest"])
    basic = base64.b64encode(f"pk-lf-1:{key}".encode()).decode()
    assert post(f"{guarded.http}/v1/traces", {"authorization": form.format(key=key, basic=basic)})[0] == 200
    assert call(guarded.grpc, METHODS[0], ("authorization", form.format(key=key, basic=basic))) is grpc.StatusCode.OK


def test_a_revoked_key_is_refused_from_then_on(guarded: Running, keys: Keys) -> None:
    key = keys.create("sender", "acme", ["ingest"])
    assert post(f"{guarded.http}/v1/traces", {"x-api-key": key})[0] == 200
    keys.revoke(key)
    assert post(f"{guarded.http}/v1/traces", {"x-api-key": key})[0] == 401
    assert call(guarded.grpc, METHODS[0], ("x-api-key", key)) is grpc.StatusCode.UNAUTHENTICATED


def test_refusals_are_counted_and_no_key_is_written_anywhere(
    guarded: Running, keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = keys.create("reader", "acme", ["read"])
    wrong = f"{key[:-4]}beef"
    answers = [post(f"{guarded.http}/v1/traces", {"x-api-key": sent})[2] for sent in (key, wrong, wrong)]
    call(guarded.grpc, METHODS[0], ("x-api-key", wrong))
    page = urllib.request.urlopen(f"{guarded.http}/metrics", timeout=20).read().decode()
    assert 'tollbook_collector_refused_total{reason="unauthenticated"} 3' in page
    assert 'tollbook_collector_refused_total{reason="forbidden"} 1' in page
    assert key.split("_")[2][:16] not in f"{caplog.text}{answers}{page}"


@pytest.mark.parametrize("transport", ["http", "grpc"])
def test_a_senders_attributes_cannot_choose_the_tenant(guarded: Running, keys: Keys, store: Store, transport: str) -> None:
    header = {"authorization": f"Bearer {keys.create('sender', 'acme', ['ingest'])}"}
    exporter: SpanExporter = (
        HttpExporter(f"{guarded.http}/v1/traces", headers=header)
        if transport == "http"
        else GrpcExporter(guarded.grpc, insecure=True, headers=tuple(header.items()))
    )
    claims = {"tenant": "umbrella", "tollbook.tenant": "umbrella", "service.name": "shop", "x-tollbook-tenant": "umbrella"}
    provider = TracerProvider(resource=Resource(claims))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    with provider.get_tracer("test").start_as_current_span("answer", attributes={"tenant": "umbrella"}):
        pass
    provider.shutdown()
    guarded.wait()
    assert store.query("SELECT toString(tenant) AS tenant, name FROM spans") == [{"tenant": "acme", "name": "answer"}]
