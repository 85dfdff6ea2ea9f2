"""What real clients sent, byte by byte as it was on the wire, becomes exactly these rows (P10)."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

from tests.hostile import senders
from tests.served import Served, served
from tests.soak.figures import Fault

UNSENT = {"content-length", "transfer-encoding", "connection", "accept-encoding", "user-agent", "accept"}
MODELS = {
    # of the 1117, 1024 were cached; Anthropic's 2312 are 12 new ones, 300 written to the cache and 2000 read from it
    "openinf": {("gpt-4o", 1117, 46): 2, ("text-embedding-3-small", 8, None): 1, ("claude-sonnet-4-5", 2312, 7): 1},
    "otelv2": {("gpt-4o", 1117, 46): 2, ("text-embedding-3-small", 8, None): 1},
}
"""Model, input tokens and output tokens of each client's calls, and how many there are."""

CALLS = "SELECT request_model, input_tokens, output_tokens, count() FROM spans WHERE input_tokens > 0 GROUP BY ALL ORDER BY ALL"

SPANS = {
    "json__001": 1, "langfuse__001": 1, "node_grpc__001": 3, "node_http__001": 3, "node_http_gzip__001": 3, "node_proto__001": 3,
    "openinf__001": 4, "otelv2__001": 3, "sdk_gzip__001": 512, "sdk_gzip__002": 512, "sdk_gzip__003": 488, "sdk_gzip__004": 488,
    "sdk_gzip__005": 0,
}  # fmt: skip


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
        found = senders.ask(web, "SELECT count() FROM spans")
        calls = senders.ask(web, CALLS)
    fault.found(f"{len(captures)} captures: {found[0][0]:,} spans of {expected:,}, {sum(row[3] for row in calls)} with tokens")
    assert found == [[expected]]
    counted: Counter[tuple[Any, ...]] = Counter()
    for model, tokens_in, tokens_out, number in calls:
        counted[model, tokens_in, tokens_out] += number
    wanted: Counter[tuple[Any, ...]] = Counter()
    for of_client in MODELS.values():
        wanted.update(of_client)
    assert not wanted - counted


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
