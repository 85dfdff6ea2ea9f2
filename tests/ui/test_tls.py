"""TLS on both doors, with keys, as real exporters come; and a start that is refused where the files are wrong."""

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as GrpcExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as HttpExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from tollbook_collector.tls import Tls
from tollbook_schema.environment import SettingsError
from tollbook_ui.remote import RemoteAnswers

from tests.ui.test_server import Up, stored


@dataclass(frozen=True)
class Papers:
    """Files in PEM, of an authority made up for these tests."""

    authority: Path
    cert: Path
    key: Path
    client: Path
    """Certificate and key of a client, in one file."""
    other_key: Path
    locked_key: Path


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder, authority = tmp_path_factory.mktemp("tls"), trustme.CA()
    found = Papers(*(folder / name for name in ("authority", "cert", "key", "client", "other_key", "locked_key")))
    server, client, other = (authority.issue_cert(name) for name in ("localhost", "client.example", "other.example"))
    authority.cert_pem.write_to_path(found.authority)
    server.private_key_pem.write_to_path(found.key)
    found.cert.write_bytes(b"".join(part.bytes() for part in server.cert_chain_pems))
    client.private_key_and_cert_chain_pem.write_to_path(found.client)
    other.private_key_pem.write_to_path(found.other_key)
    key = serialization.load_pem_private_key(found.key.read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    found.locked_key.write_bytes(key.private_bytes(pem, form, locked))
    return found


@pytest.fixture(scope="module")
def served(papers: Papers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A `tollbook up` beyond loopback, with keys and TLS."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOLLBOOK_AUTH", "required")
        patch.setenv("TOLLBOOK_TLS_CERT", str(papers.cert))
        patch.setenv("TOLLBOOK_TLS_KEY", str(papers.key))
        found = Up(tmp_path_factory.mktemp("up"), ("--no-dashboard", "--host", "0.0.0.0")).start()
    yield found
    found.stop()


def command(up: Up, *words: str) -> str:
    line = [sys.executable, "-m", "tollbook_ui.cli", *words, "--data", str(up.data)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=90, env=os.environ, check=True)
    return done.stdout


def exporter(up: Up, transport: str, authority: Path, key: str) -> SpanExporter:
    headers = {"authorization": f"Bearer {key}"} if key else {}
    if transport == "http":
        port = up.server.url.rpartition(":")[2]
        return HttpExporter(f"https://localhost:{port}/v1/traces", str(authority), headers=headers, timeout=20)
    credentials = grpc.ssl_channel_credentials(authority.read_bytes())
    return GrpcExporter(f"localhost:{up.server.grpc_port}", credentials=credentials, headers=tuple(headers.items()), timeout=20)


def one_span() -> ReadableSpan:
    span = TracerProvider().get_tracer("test").start_span("answer")
    span.end()
    assert isinstance(span, ReadableSpan)
    return span


def test_real_exporters_send_over_tls_with_a_key(served: Up, papers: Papers, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # these go before the exporter's own file
        monkeypatch.delenv(variable, raising=False)
    key = command(served, "keys", "create", "shop", "--tenant", "acme", "--scope", "ingest").splitlines()[0]
    for transport in ("http", "grpc"):
        sender = exporter(served, transport, papers.authority, key)
        assert sender.export([one_span()]) is SpanExportResult.SUCCESS
        sender.shutdown()
        stranger = exporter(served, transport, papers.authority, "")
        assert stranger.export([one_span()]) is SpanExportResult.FAILURE
        stranger.shutdown()
    operator = RemoteAnswers.at(served.server)
    stored(operator, 2)
    assert operator.sql("SELECT DISTINCT toString(tenant) FROM spans").rows == [("acme",)]


def test_the_operators_commands_need_neither_key_nor_name(served: Up) -> None:
    assert served.server.url.startswith("https://127.0.0.1:")
    assert "everybody is asked for a key or a sign-in; TLS" in " ".join(command(served, "doctor").split())
    made = command(served, "keys", "create", "reader", "--all-tenants", "--scope", "read", "--expires", "90d")
    listed = command(served, "keys", "list", "--format", "csv")
    key_id = made.split("_")[1]
    assert f"{key_id},reader,," in listed
    assert command(served, "keys", "revoke", key_id) == f"Revoked {key_id} (reader).\n"
    assert "revoked" in command(served, "keys", "list")


def test_nothing_is_answered_in_the_clear(served: Up) -> None:
    plain = served.server.url.replace("https://", "http://")
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        urllib.request.urlopen(f"{plain}/healthz", timeout=10)
    with grpc.insecure_channel(f"127.0.0.1:{served.server.grpc_port}") as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary("/x/y")(b"", timeout=3)


def test_the_token_of_the_operator_is_for_its_owners_eyes(served: Up) -> None:
    assert (served.data / "server.json").stat().st_mode & 0o777 == 0o600
    assert served.server.token not in repr(served.server)


@pytest.fixture
def mutual(papers: Papers, tmp_path: Path) -> Iterator[Up]:
    """A `tollbook up` that asks clients for a certificate."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TOLLBOOK_TLS_CERT", str(papers.cert))
        patch.setenv("TOLLBOOK_TLS_KEY", str(papers.key))
        patch.setenv("TOLLBOOK_TLS_CLIENT_CA", str(papers.authority))
        found = Up(tmp_path).start()
    yield found
    found.stop()


@pytest.mark.slow
def test_clients_show_a_certificate_where_they_are_asked_to(papers: Papers, mutual: Up) -> None:
    up = mutual
    port = up.server.url.rpartition(":")[2]
    trust = ssl.create_default_context(cafile=papers.authority)
    with pytest.raises((urllib.error.URLError, ConnectionError, ssl.SSLError)):
        urllib.request.urlopen(f"https://localhost:{port}/healthz", timeout=10, context=trust).read()
    trust.load_cert_chain(papers.client)
    assert urllib.request.urlopen(f"https://localhost:{port}/healthz", timeout=10, context=trust).read() == b"ok\n"
    nameless = grpc.ssl_channel_credentials(papers.authority.read_bytes())
    with grpc.secure_channel(f"localhost:{up.server.grpc_port}", nameless) as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary("/x/y")(b"", timeout=5)
    assert command(up, "sql", "SELECT count() AS n FROM spans", "--format", "csv") == "n\n0\n"


def test_papers_that_are_in_order_are_taken(papers: Papers) -> None:
    assert Tls(papers.cert, papers.key, papers.authority).checked().cert == papers.cert


@pytest.mark.parametrize(
    ("cert", "key", "client_ca", "said"),
    [
        ("missing", "key", None, "cannot read .*missing for TLS: No such file"),
        ("cert", "missing", None, "cannot read .*missing for TLS: No such file"),
        ("cert", "other_key", None, "the certificate .*cert and the key .*other_key are no pair: key values mismatch"),
        ("key", "cert", None, "are no pair"),
        ("cert", "locked_key", None, "the private key for TLS is encrypted"),
        ("cert", "key", "missing", "cannot read .*missing for TLS"),
        ("cert", "key", "key", "holds no certificates of authorities"),
    ],
)
def test_papers_that_are_not_in_order_stop_the_start(
    papers: Papers, cert: str, key: str, client_ca: str | None, said: str
) -> None:
    folder = papers.cert.parent
    with pytest.raises(SettingsError, match=said):
        Tls(folder / cert, folder / key, folder / client_ca if client_ca else None).checked()


def shown(port: int, authority: Path) -> int:
    """Serial number of the certificate that a door shows."""
    trust = ssl.create_default_context(cafile=authority)
    trust.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("localhost", port), 10) as plain,
        trust.wrap_socket(plain, server_hostname="localhost") as door,
    ):
        found = door.getpeercert()
    assert found is not None
    return int(str(found["serialNumber"]), 16)


def test_a_renewed_certificate_is_shown_by_both_doors_without_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    first, second = (authority.issue_cert("localhost") for _ in range(2))
    ca, cert, key = (tmp_path / name for name in ("ca", "cert", "key"))
    authority.cert_pem.write_to_path(ca)

    def put(leaf: trustme.LeafCert) -> int:
        leaf.private_key_pem.write_to_path(key)
        leaf.cert_chain_pems[0].write_to_path(cert)
        return x509.load_pem_x509_certificate(cert.read_bytes()).serial_number

    before = put(first)
    monkeypatch.setenv("TOLLBOOK_TLS_CERT", str(cert))
    monkeypatch.setenv("TOLLBOOK_TLS_KEY", str(key))
    up = Up(tmp_path / "data").start()
    assert up.server.grpc_port is not None
    doors = (int(up.server.url.rpartition(":")[2]), up.server.grpc_port)
    assert [shown(door, ca) for door in doors] == [before, before]
    second.cert_chain_pems[0].write_to_path(cert)  # and its key is on its way
    assert [shown(door, ca) for door in doors] == [before, before]
    after = put(second)
    assert [shown(door, ca) for door in doors] == [after, after]
    cert.unlink()
    assert [shown(door, ca) for door in doors] == [after, after]
    up.process.send_signal(signal.SIGHUP)
    time.sleep(0.2)
    assert [shown(door, ca) for door in doors] == [after, after]
    _, log = up.stop()
    assert up.process.returncode == 0
    assert log.count("has been renewed") == 2
    assert "the certificate in use stays" in log
    assert "nothing to read again" in log
