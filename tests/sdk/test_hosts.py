"""Who may be told owners and ages: what is declared, this machine, and never a provider of models."""

import socket
from collections.abc import Iterator

import pytest
from tollbook import hosts


@pytest.fixture(autouse=True)
def undeclared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv(hosts.VARIABLE, raising=False)
    hosts.declare(None)
    yield
    hosts.declare(None)


@pytest.mark.parametrize(
    "host", ["localhost", "api.localhost", "127.0.0.1", "127.8.9.1", "::1", "[::1]", "::ffff:127.0.0.1", "/run/socket"]
)
def test_this_machine_is_ours(host: str) -> None:
    assert hosts.is_ours(host, 8080)


def test_this_machines_name_is_ours() -> None:
    assert hosts.is_ours(socket.gethostname())


@pytest.mark.parametrize(
    "host", ["example.com", "10.0.0.5", "192.168.1.1", "billing", "169.254.169.254", "fd00::1", "", "localhost.example.com"]
)
def test_what_nobody_declares_is_not_ours_private_addresses_included(host: str) -> None:
    assert not hosts.is_ours(host)


@pytest.mark.parametrize(
    ("pattern", "ours", "others"),
    [
        ("*.internal", ["a.internal", "a.b.INTERNAL", "a.internal."], ["internal.com", "internal"]),
        ("svc.cluster.local", ["svc.cluster.local", "a.b.svc.cluster.local"], ["asvc.cluster.local", "cluster.local"]),
        (".corp.example", ["x.corp.example"], ["xcorp.example"]),
        ("10.0.0.0/8", ["10.255.0.1", "::ffff:10.1.1.1"], ["11.0.0.1", "10.example.com"]),
        ("fd00::/8", ["fd12::1", "[fd12::1]"], ["fe80::1"]),
        ("192.168.1.7", ["192.168.1.7"], ["192.168.1.8"]),
        ("billing", ["billing"], ["billing.example.com"]),
        ("*", ["example.com", "8.8.8.8"], ["api.openai.com", "bedrock-runtime.eu-west-1.amazonaws.com"]),
    ],
)  # fmt: skip
def test_a_pattern_names_hosts(pattern: str, ours: list[str], others: list[str]) -> None:
    hosts.declare([pattern])
    assert [host for host in ours if not hosts.is_ours(host)] == []
    assert [host for host in others if hosts.is_ours(host)] == []


def test_a_port_narrows_a_pattern() -> None:
    hosts.declare(["a.example:8443", "10.0.0.0/8:80", "[fd00::/8]:443"])
    assert hosts.is_ours("a.example", 8443)
    assert not hosts.is_ours("a.example", 443)
    assert hosts.is_ours("10.1.1.1", 80)
    assert not hosts.is_ours("10.1.1.1")
    assert hosts.is_ours("fd00::1", 443)


def test_an_exception_wins_over_patterns_and_over_this_machine() -> None:
    hosts.declare(["*.internal", "!llm-gateway.internal", "!localhost:4000"])
    assert hosts.is_ours("db.internal")
    assert not hosts.is_ours("llm-gateway.internal")
    assert not hosts.is_ours("localhost", 4000)
    assert hosts.is_ours("localhost", 8080)


def test_the_environment_declares_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(hosts.VARIABLE, "*.internal, 10.0.0.0/8,")
    hosts.declare(None)
    assert hosts.is_ours("a.internal")
    assert hosts.is_ours("10.0.0.1")


@pytest.mark.parametrize("pattern", ["", "!", "http://a.internal", "a b", "user@host", "10.0.0.0/99"])
def test_what_is_no_pattern_is_named_and_then_nothing_is_ours(pattern: str) -> None:
    with pytest.raises(ValueError, match="names no host"):
        hosts.declare(["*.internal", pattern])
    assert not hosts.is_ours("a.internal")
