"""What real clients sent, byte by byte as it was on the wire, becomes exactly these rows (P10)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx2 as httpx
import pytest

from tests.hostile import senders
from tests.served import Served, served
from tests.soak.figures import Fault

UNSENT = {"content-length", "transfer-encoding", "connection", "accept-encoding", "user-agent", "accept"}
SPANS = {
    "json__001": 1, "langfuse__001": 1, "node_grpc__001": 3, "node_http__001": 3, "node_http_gzip__001": 3, "node_proto__001": 3,
    "openinf__001": 4, "otelv2__001": 3, "sdk_gzip__001": 512, "sdk_gzip__002": 0, "sdk_gzip__003": 488, "sdk_gzip__004": 0,
    "sdk_gzip__005": 0,
}  # fmt: skip
"""Spans that each capture adds: 002 and 004 of sdk_gzip are the bodies of 001 and 003 over another transport, kept once."""

TOLD = [
    # of the 1117, 1024 were cached; Anthropic's 2312 are 12 new ones, 300 written to the cache and 2000 read from it
    ["", 1117, None, 12],
    ["claude-sonnet-4-5", 2312, 7, 1],
    ["gpt-4o", 1117, 46, 2],
    ["gpt-4o-2024-08-06", 1117, 46, 2],
    ["text-embedding-3-small", 8, None, 2],
]
"""Calls as they are told: model asked for, tokens in, tokens out, how many spans."""

CALLS = "SELECT request_model, input_tokens, output_tokens, count() FROM spans WHERE input_tokens > 0 GROUP BY ALL ORDER BY ALL"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "data") as server:
        yield server


@pytest.mark.fault("P10", "captures of real clients, replayed", "exact rows, each call's tokens as the provider said")
def test_the_captures_of_real_clients_become_exact_rows(fault: Fault, server: Served, shared_data: Path) -> None:
    captures = sorted((shared_data / "client_captures").glob("*.meta.json"))
    with httpx.Client(base_url=server.url, timeout=60, trust_env=False) as web:
        for meta in captures:
            replay(server, web, json.loads(meta.read_text()), body_of(meta))
        expected = sum(spans for name, spans in SPANS.items())
        senders.until(web, "SELECT count() > 0 FROM metrics", [(1,)])
        senders.all_loaded(web)
        found = senders.ask(web, "SELECT count() FROM spans")
        calls = senders.ask(web, CALLS)
    fault.found(f"{len(captures)} captures: {found[0][0]:,} spans of {expected:,}, {sum(row[3] for row in calls)} with tokens")
    assert found == [[expected]]
    assert calls == TOLD


def body_of(meta: Path) -> bytes:
    """The body beside a capture's headers."""
    stem = meta.name.removesuffix(".meta.json")
    (path,) = (path for path in meta.parent.glob(f"{stem}.*") if path != meta)
    return path.read_bytes()


def replay(server: Served, web: httpx.Client, meta: dict[str, Any], body: bytes) -> None:
    """Sends a capture again as it was sent: over the same transport, with the headers that say what it is."""
    if meta["transport"] == "grpc":
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            assert channel.unary_unary(f"/{meta['path']}")(body, timeout=30) == b""
        return
    headers = {name: value for name, value in meta["headers"].items() if name.lower() not in UNSENT}
    chunked = "Transfer-Encoding" in meta["headers"]
    answer = web.post(meta["path"], content=iter([body]) if chunked else body, headers=headers)
    assert answer.status_code == 200, (meta, answer.text)
