"""What real clients put on the wire, through a collector and out of the ledger: each call once, at what it cost."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import grpc
import httpx2 as httpx
from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.laws import assert_the_ledger_balances
from tests.collector.conftest import Running

CALLS = """
SELECT scope_name AS scope, role, price_status, cost_usd, has(calls.flags, 'cache_share_unknown') AS bound
FROM calls
INNER JOIN spans ON calls.trace_id = spans.trace_id AND calls.span_id = spans.span_id
ORDER BY scope, calls.start_time, calls.response_model
"""
CHAT, EMBEDDING, CLAUDE = Decimal("0.0019725"), Decimal("0.00000016"), Decimal("0.001866")
CHAT_AT_MOST = Decimal("0.0032525")
"""1,117 input tokens at $2.50 and 46 of output at $10 a million, as if none had been cached."""


def send(running: Running, meta: Path) -> None:
    """Sends a captured request again, by its transport, to its path, with its headers."""
    said: dict[str, Any] = json.loads(meta.read_text())
    [body] = [path for path in meta.parent.glob(f"{meta.name.removesuffix('.meta.json')}.*") if path != meta]
    if said["transport"] == "grpc":
        with grpc.insecure_channel(running.grpc) as channel:
            call = channel.unary_unary(f"/{said['path']}", request_serializer=None, response_deserializer=None)
            call(body.read_bytes(), timeout=20)
    else:
        headers = {key.lower(): value for key, value in said["headers"].items()}
        chunked = headers.pop("transfer-encoding", "") == "chunked"
        headers.pop("content-length", None)
        content = iter([body.read_bytes()]) if chunked else body.read_bytes()
        assert httpx.post(running.http + said["path"], content=content, headers=headers, timeout=20).status_code == 200


def captures(folder: Path) -> Iterator[Path]:
    """What the captured requests were, without their bodies."""
    yield from sorted(folder.glob("*.meta.json"))


def test_each_client_s_calls_count_once_at_their_cost(running: Running, store: Store, shared_data: Path) -> None:
    for meta in captures(shared_data / "client_captures"):
        send(running, meta)
    running.wait()
    settle(store)
    calls = store.query(CALLS)
    assert {row["role"] for row in calls} == {"counted"}
    costs: dict[str, list[Any]] = {}
    for row in calls:
        costs.setdefault(row["scope"], []).append(row["cost_usd"])
    assert costs["openinference.instrumentation.openai"] == [CHAT, CHAT, EMBEDDING]
    assert costs["openinference.instrumentation.anthropic"] == [CLAUDE]
    assert costs["langfuse-sdk"] == [CHAT]
    assert costs["opentelemetry.instrumentation.openai_v2"] == [CHAT_AT_MOST, CHAT_AT_MOST, EMBEDDING]
    bounds = [row["bound"] for row in calls if row["scope"] == "opentelemetry.instrumentation.openai_v2"]
    assert bounds == [True, True, False]
    # The plain spans of the transport cases name no model: calls whose price is not known.
    plain = [row for row in calls if row["scope"] == "node"]
    assert {(row["price_status"], row["cost_usd"]) for row in plain} == {("unpriced", None)}
    total = store.query("SELECT sum(amount_usd) AS usd FROM ledger WHERE category = 'tokens'")[0]["usd"]
    assert total == 3 * CHAT + 2 * CHAT_AT_MOST + 2 * EMBEDDING + CLAUDE
    assert_the_ledger_balances(store)
