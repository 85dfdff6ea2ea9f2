"""Bytes between two places: each counted once, under the class of the boundary it crosses, at the rate of that class."""

from decimal import Decimal
from typing import Any

from tollbook_attribution import engine
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, S, Span, trace_id
from tests.transfer.conftest import AWS, GB, ZONE_B, handoff, http, set_prices

TRANSFERS = "SELECT * FROM transfers ORDER BY trace_id, span_id, class, bytes"
TOTAL = "SELECT sum(amount_usd) AS usd FROM ledger WHERE category = 'transfer'"
US = {**AWS, "cloud.region": "us-east-1", "cloud.availability_zone": ""}


def transfers(store: Store, trace: int) -> list[dict[str, Any]]:
    return [row for row in store.query(TRANSFERS) if row["trace_id"] == trace_id(trace)]


def classes(store: Store, trace: int) -> list[tuple[int, str, int]]:
    """Span, class and bytes of what counts in a trace."""
    return [(int.from_bytes(row["span_id"]), row["class"], row["bytes"]) for row in transfers(store, trace)]


CHAT = {
    "gen_ai.operation.name": "chat", "gen_ai.provider.name": "acme", "gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 10,
    "gen_ai.usage.output_tokens": 5, "server.address": "api.example.com",
}  # fmt: skip
ASKED = {
    "server.address": "api.example.com",
    "http.request.body.size": 400,
    "http.response.body.size": 600,
    "http.request.method": "POST",
}

SAID = {
    "cross-zone": "cross_zone", "cross_az": "cross_zone", "Inter-AZ": "cross_zone", "inter-region": "cross_region",
    "PrivateLink": "private_link", "VPC endpoint": "private_link", "NAT": "nat", "nat-gateway": "nat", "ingress": "internet_in",
    "in-process": "in_process", "carrier pigeon": "carrier pigeon",
}  # fmt: skip
STORED = {"tollbook.asset.id": "huge", "tollbook.storage.class": "s3-standard"}

SPANS = [
    # 1: C14. Ten GB over the internet, told by the handoff and by the request that carries it.
    handoff(1, 11, 10 * GB, network="internet"),
    http(1, 12, 11, (10 * GB + 300, 40), "sink.example.com"),
    # 2: ten more, of which five fall into the next tier of the month.
    handoff(2, 21, 10 * GB, network="internet", start_ns=S),
    # 3: regions of the two ends, declared.
    handoff(3, 31, 2 * GB, operation="copy", source_region="eu-west-1", destination_region="us-east-1"),
    # 4: a wrapper of a client and the client.
    http(4, 41, 0, (1000, 2000), "api.example.com"),
    http(4, 42, 41, (1000, 2000), "api.example.com"),
    # 5: a client and the server that answers in another zone.
    http(5, 51, 0, (GB, 2 * GB), "orders"),
    http(5, 52, 51, (GB, 2 * GB), "orders", kind="server", resource=ZONE_B, service="orders"),
    # 6: a wrapper that tells of less than the handoffs in it, and one that tells of more.
    handoff(6, 61, 5, network="internet"),
    handoff(6, 62, 5, 61, network="internet"),
    handoff(6, 63, 5, 61, network="cross_zone"),
    handoff(6, 64, 9, network="internet"),
    handoff(6, 65, 4, 64, network="internet"),
    # 7: a handoff that declares the class, a request in it that has the bytes; between them a span of neither.
    handoff(7, 71, None, network="private_link"),
    Span(7, 72, 71, resource=AWS),
    http(7, 73, 72, (2**30, 2**30), "10.0.0.7"),
    # 8: by address.
    http(8, 81, 0, (7, 7), "localhost"),
    http(8, 82, 0, (7, 0), "s3.eu-west-1.amazonaws.com"),
    http(8, 83, 0, (7, 0), "s3.us-east-1.amazonaws.com"),
    http(8, 84, 0, (7, 0), "10.1.2.3"),
    http(8, 85, 0, (7, 0), "vpce-0a1.s3.eu-west-1.vpce.amazonaws.com"),
    http(8, 86, 0, (7, 0), "storage.googleapis.com"),
    http(8, 87, 0, (7, 0), "s3.amazonaws.com"),
    Span(8, 88, 0, kind="producer", resource=AWS, attributes={"messaging.message.body.size": 7, "messaging.system": "kafka"}),
    # 9: what costs nothing to move is no transfer, and what nobody priced has no price.
    handoff(9, 91, 7, network="in_process"),
    handoff(9, 92, 7, network="loopback"),
    handoff(9, 93, 7, network="nat", resource={**AWS, "cloud.provider": "acme"}),
    handoff(9, 94, 7, network="internet", resource=US),
    handoff(9, 95, 0, network="internet"),
    # 10: a model call, the request over HTTP that carries it, and what another instrumentation tells of that request.
    Span(10, 101, 0, name="chat m", kind="client", resource=AWS, attributes=CHAT),
    handoff(10, 102, 1000, 101, operation="call", _more=ASKED),
    http(10, 103, 102, (400, 600), "api.example.com"),
    # 12: a size that cannot be.
    handoff(12, 121, 2**62, network="internet", operation="write", destination="lake", _more=STORED),
    # 13: through a gateway and out, after all tiers are used up; and two words of which one is no class.
    handoff(13, 131, GB, network="NAT gateway, internet egress", start_ns=2 * S),
    handoff(13, 132, GB, network="nat + carrier pigeon", start_ns=2 * S),
    # 11: classes as people spell them.
    *(handoff(11, 110 + number, GB, network=said) for number, said in enumerate(SAID)),
]  # fmt: skip


def test_bytes_are_counted_once_and_priced_by_the_boundary_they_cross(store: Store, intake: Intake) -> None:
    set_prices(store)
    intake.spans(SPANS)
    engine.settle(store)
    assert classes(store, 1) == [(11, "internet", 10 * GB)]
    (first,) = transfers(store, 1)
    assert (first["cost_usd"], first["workflow"], first["declared"]) == (Decimal("0.90"), "pipeline 1", True)
    used_before = 10 * GB + 1000 + 5 + 9 + 7 + 1000  # what went out to the internet earlier in the hour
    second = transfers(store, 2)[0]["cost_usd"]
    below = 15 * GB - used_before
    assert second == Decimal(below) / GB * Decimal("0.09") + Decimal(10 * GB - below) / GB * Decimal("0.07")
    tiers = store.query("SELECT DISTINCT price_id FROM ledger WHERE item = 'internet' ORDER BY price_id")
    assert [row["price_id"] for row in tiers] == ["aws//internet (below 15 gb)", "aws//internet (from 15 gb on)"]
    assert [(row["class"], row["cost_usd"], row["reason"]) for row in transfers(store, 3)] == [
        ("cross_region", Decimal("0.06"), "from eu-west-1 to us-east-1")
    ]
    assert classes(store, 4) == [(42, "internet", 1000), (42, "internet_in", 2000)]
    assert classes(store, 5) == [(51, "cross_zone", GB), (51, "cross_zone", 2 * GB)]
    assert sum(row["cost_usd"] for row in transfers(store, 5)) == Decimal("0.06")
    assert classes(store, 6) == [(62, "internet", 5), (63, "cross_zone", 5), (64, "internet", 9)]
    assert [(row["class"], row["cost_usd"]) for row in transfers(store, 7)] == [("private_link", Decimal("0.01"))] * 2
    assert classes(store, 8) == [
        (82, "same_zone", 7),
        (83, "cross_region", 7),
        (84, "unknown", 7),
        (85, "private_link", 7),
        (86, "internet", 7),
        (87, "unknown", 7),
        (88, "unknown", 7),
    ]
    assert [name for _, name, _ in classes(store, 11)] == [name for name in SAID.values() if name != "in_process"]
    assert [row["unpriced"] for row in transfers(store, 11) if row["cost_usd"] is None] == [
        "no price for carrier pigeon of aws in eu-west-1"
    ]
    assert [(row["class"], row["cost_usd"]) for row in transfers(store, 13)] == [
        ("internet", Decimal("0.07")), ("nat", Decimal("0.04")), ("nat + carrier pigeon", None),
    ]  # fmt: skip
    assert [(row["unpriced"], row["cost_usd"]) for row in transfers(store, 12)] == [
        ("its size cannot be: an exabyte or more", None)
    ]
    assert store.query("SELECT count() AS copies FROM storage_intervals") == [{"copies": 0}]
    assert classes(store, 10) == [(102, "internet", 1000)]
    assert store.query("SELECT count() AS calls, sum(input_tokens) AS tokens FROM calls") == [{"calls": 1, "tokens": 10}]
    unpriced = {int.from_bytes(row["span_id"]): row["unpriced"] for row in transfers(store, 9)}
    assert unpriced == {93: "no price for nat of acme in eu-west-1", 94: "no exchange rate for EUR on 2026-11-20"}
    unknown = {row["unpriced"].partition(": ")[2] for row in transfers(store, 8) if row["class"] == "unknown"}
    assert unknown == {
        "to a private address, whose zone is not known",
        "to a service of aws whose region is not known",
        "nothing is known of the other end",
    }
    assert all(row["cost_usd"] is None for row in transfers(store, 8) if row["class"] == "unknown")
    known = sum((row["cost_usd"] for row in store.query(TRANSFERS) if row["cost_usd"] is not None), Decimal(0))
    assert store.query(TOTAL) == [{"usd": known}]
    assert store.query("SELECT line_id FROM ledger GROUP BY line_id HAVING count() > 1") == []


def test_late_bytes_bring_later_hours_into_other_tiers(store: Store, intake: Intake) -> None:
    set_prices(store)
    hour = 3600 * S
    parts = [handoff(trace, trace * 10, 10 * GB, network="internet", start_ns=trace * hour) for trace in (1, 2, 3)]
    next_month = handoff(9, 90, 10 * GB, network="internet", start_ns=15 * 24 * hour)
    intake.spans([parts[1], parts[2], next_month])
    engine.settle(store)
    # 10 at 0.09, then 5 at 0.09 and 5 at 0.07; the next month begins anew
    assert store.query(TOTAL) == [{"usd": Decimal("0.9") + Decimal("0.8") + Decimal("0.9")}]
    intake.spans([parts[0]])
    settled = engine.settle(store)
    assert settled.windows == 3  # the late hour, and the two that it brings over the end of a tier
    assert settled.difference_usd == Decimal("0.7")
    assert store.query(TOTAL) == [{"usd": Decimal("0.9") + Decimal("0.8") + Decimal("0.7") + Decimal("0.9")}]
    assert engine.settle(store).windows == 0
