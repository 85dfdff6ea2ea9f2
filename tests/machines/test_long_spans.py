"""Spans longer than the hour: each hour that they run in bears its part, whatever comes first."""

import random
from decimal import Decimal
from typing import Any

import pytest
from tollbook_attribution import policies, set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances, settle_or_tell
from tests.machines.devices import set_gpu_price
from tests.machines.test_conservation import FRACTIONS, KINDS

HOUR = 3_600 * S
BOX = {A.HOST_ID: "h1", A.HOST_TYPE: "box"}
LINES = """
SELECT
    dateDiff('hour', toDateTime('2026-11-20 12:00:00', 'UTC'), window) AS hour, allocation, item,
    toUInt64(reinterpret(reverse(trace_id), 'UInt128')) AS trace, quantity, amount_usd, team
FROM ledger
WHERE resource = {resource:String} ORDER BY hour, allocation != 'request', item, trace
"""
REQUESTS = """
SELECT toUInt64(reinterpret(reverse(trace_id), 'UInt128')) AS trace, toHour(window) AS hour, continued, span_count
FROM requests
WHERE trace < 3 ORDER BY trace, hour
"""
WORKED = """
SELECT toUInt64(reinterpret(reverse(trace_id), 'UInt128')) AS trace, sum(self_ns) AS self_ns
FROM span_costs
WHERE trace < 3 AND span_id = toFixedString(unhex('0000000000000001'), 8) GROUP BY trace ORDER BY trace
"""


def lines(store: Store, resource: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in store.query(LINES, {"resource": resource})]


@pytest.mark.slow
def test_each_hour_of_a_span_bears_its_part(store: Store, intake: Intake) -> None:
    """Of its machine and its accelerator, also where an hour was settled before its spans and its owner were told."""
    set_rate(store, "box", "3.60", 2)
    set_rate(store, "bought", "7.20", 2)
    set_rate(store, "bought", "3.60", 2, purchase="spot")
    set_gpu_price(store, "H100", "3.60")
    red, blue = {A.TOLLBOOK_TEAM: "red"}, {A.TOLLBOOK_TEAM: "blue"}
    held = {A.HW_ID: "GPU-a", A.HW_MODEL: "H100", A.TOLLBOOK_KIND: "inference"}
    spot = {
        A.HOST_ID: "h2",
        A.HOST_TYPE: "bought",
        A.K8S_CLUSTER_NAME: "east",
        "k8s.node.label.karpenter.sh/capacity-type": "spot",
    }
    odd = {A.HOST_ID: "h3", A.HOST_TYPE: "odd"}
    intake.spans([
        Span(1, 1, 9, start_ns=1_800 * S, duration_ns=5_400 * S, resource=BOX),
        Span(2, 2, 1, start_ns=HOUR + 600 * S, duration_ns=600 * S, resource=BOX, attributes=blue),
        Span(3, 1, start_ns=1_800 * S, duration_ns=5_400 * S, attributes=held | red),
        Span(4, 1, start_ns=HOUR, duration_ns=1_200 * S, attributes=held | blue),
        Span(5, 1, start_ns=1_800 * S, duration_ns=2_400 * S, resource=spot),
        Span(7, 1, start_ns=1_800 * S, duration_ns=2_400 * S, resource={A.K8S_NODE_NAME: "h4", A.HOST_TYPE: "box"}),
        # What cannot be so long stays in its hour.
        Span(6, 1, start_ns=1_800 * S, duration_ns=240 * 365 * 24 * HOUR, resource=odd),
        Span(6, 2, start_ns=1_800 * S, duration_ns=-HOUR, resource=odd),
        Span(6, 3, start_ns=1_800 * S, duration_ns=169 * HOUR, resource=odd),
    ])  # fmt: skip
    assert settle(store).windows == 2
    # A second of the accelerator costs 0.001 USD, of a CPU half of it. The box is there from half past twelve on.
    assert lines(store, "accelerator:GPU-a") == [
        (0, "request", "accelerator time", 3, Decimal(1_800), Decimal("1.8"), "red"),
        (1, "request", "accelerator time", 3, Decimal(3_000), Decimal("3.0"), "red"),
        (1, "request", "accelerator time", 4, Decimal(600), Decimal("0.6"), "blue"),
    ]
    assert lines(store, "host:h1") == [
        (0, "request", "CPU time", 1, Decimal(1_800), Decimal("0.9"), ""),
        (0, "idle", "idle CPU time", 0, Decimal(1_800), Decimal("0.9"), ""),
        (1, "request", "CPU time", 1, Decimal(3_600), Decimal("1.8"), ""),
        (1, "request", "CPU time", 2, Decimal(600), Decimal("0.3"), "blue"),
        (1, "idle", "idle CPU time", 0, Decimal(3_000), Decimal("1.5"), ""),
    ]
    assert store.query("SELECT cluster, purchase, amount_usd FROM hosts WHERE host = 'h2' ORDER BY window") == [
        {"cluster": "east", "purchase": "spot", "amount_usd": Decimal(amount)} for amount in ("1.8", "0.6")
    ]
    assert [row[4:6] for row in lines(store, "host:h4")] == [
        (Decimal(seconds), Decimal(amount)) for seconds, amount in ((1_800, "0.9"), (1_800, "0.9"), (600, "0.3"), (600, "0.3"))
    ]
    assert store.query("SELECT toHour(window) AS hour, spans_too_long FROM machine_coverage WHERE spans_too_long > 0") == [
        {"hour": 12, "spans_too_long": 2}
    ]
    # 720 CPU seconds in an hour from half past on, which cover the child's too.
    work = blue | {A.TOLLBOOK_CPU_TIME: 720 * S}
    intake.spans([
        Span(2, 1, start_ns=1_800 * S, duration_ns=HOUR, resource=BOX, attributes=work),
        Span(1, 9, start_ns=60 * S, attributes=red),
    ])  # fmt: skip
    settle(store)
    assert settle(store).windows == 0
    assert lines(store, "host:h1") == [
        (0, "request", "CPU time", 1, Decimal(1_800), Decimal("0.9"), "red"),
        (0, "request", "CPU time", 2, Decimal(360), Decimal("0.18"), "blue"),
        (0, "idle", "idle CPU time", 0, Decimal(1_440), Decimal("0.72"), ""),
        (1, "request", "CPU time", 1, Decimal(3_600), Decimal("1.8"), "red"),
        (1, "request", "CPU time", 2, Decimal(360), Decimal("0.18"), "blue"),
        (1, "idle", "idle CPU time", 0, Decimal(3_240), Decimal("1.62"), ""),
    ]
    told = [(1, 12, False, 2), (1, 13, True, 0), (2, 12, False, 1), (2, 13, True, 1)]
    assert [tuple(row.values()) for row in store.query(REQUESTS)] == told
    assert [row["self_ns"] // S for row in store.query(WORKED)] == [5_400, 3_000]
    assert_the_ledger_balances(store)


DERIVED = (
    "ledger",
    "requests",
    "span_costs",
    "resource_costs",
    "hosts",
    "costs",
    "accelerator_states",
    "accelerator_energy",
    "machine_coverage",
)
FORGOTTEN = ("spans", "metrics", "fact_hours", "settlements", "long_spans", "long_spans_settled", "edges_settled")


def some_spans(chance: random.Random) -> list[Span]:
    """Spans of up to four hours of three traces, on two machines with two accelerators."""
    spans = []
    for number in range(1, 10):
        device, host = chance.choice(["GPU-a", "GPU-b", "", ""]), chance.choice(["h1", "h2", ""])
        held = {A.HW_ID: device, A.HW_MODEL: chance.choice(["H100", "A30"]), **chance.choice(FRACTIONS)} if device else {}
        place = {A.HOST_ID: host, A.HOST_TYPE: "box" if host == "h1" else "gpubox"} if host else {}
        team = {A.TOLLBOOK_TEAM: chance.choice(["red", "blue"])} if chance.random() < 0.5 else {}
        spans.append(
            Span(
                chance.randint(1, 3),
                number,
                chance.randint(0, number - 1),
                start_ns=chance.choice([0, 1_800, 3_600, chance.randint(0, 4_000)]) * S,
                duration_ns=chance.choice([60, 1_800, 3_600, 9_000, chance.randint(0, 10_000)]) * S,
                resource=place,
                attributes={**chance.choice(KINDS), **held, **team},
            )
        )
    return spans


@pytest.mark.long
@pytest.mark.parametrize("seed", range(3))
def test_whatever_comes_first_the_ledger_is_the_same(store: Store, intake: Intake, seed: int) -> None:
    chance = random.Random(seed)
    set_rate(store, "box", "3.60", 2, memory_gib=24)
    set_rate(store, "gpubox", "8", 4, accelerators=2, accelerator_share="0.9")
    set_gpu_price(store, "H100", "2.5")
    policies.set_policy(store, "idle", chance.choice(["separate", "by-node", "by-use"]))
    spans = some_spans(chance)
    meter = {"cumulative": True, "attributes": {"hw.id": "GPU-a"}, "resource": {A.HOST_ID: "h2", A.HOST_TYPE: "gpubox"}}
    points = [Point("hw.energy", 1_000.0 * place, place * 900 * S, **meter) for place in range(1, 12)]
    derived = []
    mixed = chance.sample(spans, len(spans))
    for pieces in ([spans], [mixed[:4], mixed[4:]]):
        for table in FORGOTTEN:
            store.command(f"TRUNCATE TABLE {table}")
        intake.points(points)
        for piece in pieces:
            intake.spans(piece)
            settle_or_tell(store)
        assert settle(store).windows == 0
        assert_the_ledger_balances(store)
        derived.append({table: store.query(f"SELECT * EXCEPT settlement FROM {table} ORDER BY ALL") for table in DERIVED})
    assert derived[0] == derived[1]
