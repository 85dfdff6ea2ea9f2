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
FROM ledger ORDER BY hour, allocation != 'request', item, trace
"""


def lines(store: Store) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in store.query(LINES)]


def test_a_span_of_several_hours_bears_its_machine_in_each_of_them(store: Store, intake: Intake) -> None:
    """And its accelerator, which it shares with another for the time that both hold it."""
    set_rate(store, "box", "3.60", 2)
    set_gpu_price(store, "H100", "3.60")
    held = {A.HW_ID: "GPU-a", A.HW_MODEL: "H100", A.TOLLBOOK_KIND: "inference"}
    intake.spans([
        Span(1, 1, start_ns=1_800 * S, duration_ns=9_000 * S, resource=BOX, attributes={A.TOLLBOOK_TEAM: "red"}),
        Span(2, 1, start_ns=HOUR + 600 * S, duration_ns=600 * S, resource=BOX, attributes={A.TOLLBOOK_TEAM: "blue"}),
        Span(3, 1, start_ns=1_800 * S, duration_ns=9_000 * S, attributes=held | {A.TOLLBOOK_TEAM: "red"}),
        Span(4, 1, start_ns=HOUR, duration_ns=1_200 * S, attributes=held | {A.TOLLBOOK_TEAM: "blue"}),
    ])  # fmt: skip
    settle(store)
    # The box has two CPUs at 0.0005 USD a CPU second; it is there for half of the first hour and for all of the others.
    assert lines(store) == [
        (0, "request", "CPU time", 1, Decimal(1_800), Decimal("0.9"), "red"),
        (0, "request", "accelerator time", 3, Decimal(1_800), Decimal("1.8"), "red"),
        (0, "idle", "idle CPU time", 0, Decimal(1_800), Decimal("0.9"), ""),
        (1, "request", "CPU time", 1, Decimal(3_600), Decimal("1.8"), "red"),
        (1, "request", "CPU time", 2, Decimal(600), Decimal("0.3"), "blue"),
        (1, "request", "accelerator time", 3, Decimal(3_000), Decimal("3.0"), "red"),
        (1, "request", "accelerator time", 4, Decimal(600), Decimal("0.6"), "blue"),
        (1, "idle", "idle CPU time", 0, Decimal(3_000), Decimal("1.5"), ""),
        (2, "request", "CPU time", 1, Decimal(3_600), Decimal("1.8"), "red"),
        (2, "request", "accelerator time", 3, Decimal(3_600), Decimal("3.6"), "red"),
        (2, "idle", "idle CPU time", 0, Decimal(3_600), Decimal("1.8"), ""),
    ]
    assert_the_ledger_balances(store)


def test_who_owns_a_span_is_said_late_and_in_every_hour(store: Store, intake: Intake) -> None:
    """Its trace names the team in a span that comes in last; the parent's CPU time is measured and covers what its child does."""
    set_rate(store, "box", "3.60", 2)
    intake.spans([Span(2, 2, 1, start_ns=HOUR + 60 * S, duration_ns=60 * S, resource=BOX)])
    settle(store)
    assert [line[1:5] for line in lines(store)] == [("request", "CPU time", 2, 60), ("idle", "idle CPU time", 0, 60)]
    work = {A.TOLLBOOK_CPU_TIME: 720 * S}
    intake.spans([Span(2, 1, 9, start_ns=1_800 * S, duration_ns=7_200 * S, resource=BOX, attributes=work)])
    settle(store)
    # 720 CPU seconds in two hours: a quarter before one, half of it in the hour, a quarter after two.
    took = [(0, "CPU time", 180, ""), (1, "CPU time", 360, ""), (2, "CPU time", 180, "")]
    assert [(line[0], line[2], line[4], line[6]) for line in lines(store) if line[1] == "request"] == took
    intake.spans([Span(2, 9, start_ns=60 * S, duration_ns=S, attributes={A.TOLLBOOK_TEAM: "red"})])
    settle(store)
    owned = [(hour, item, quantity, "red") for hour, item, quantity, _ in took]
    assert [(line[0], line[2], line[4], line[6]) for line in lines(store) if line[1] == "request"] == owned
    assert_the_ledger_balances(store)
    assert settle(store).windows == 0
    assert store.query("SELECT toHour(window) AS hour, continued, span_count FROM requests ORDER BY hour") == [
        {"hour": hour, "continued": hour > 12, "span_count": spans} for hour, spans in ((12, 2), (13, 1), (14, 0))
    ]
    assert store.query(
        "SELECT sum(self_ns) AS self_ns FROM span_costs WHERE span_id = toFixedString(unhex('0000000000000001'), 8)"
    ) == [{"self_ns": 7_140 * S}]


def test_a_span_that_cannot_be_so_long_stays_in_its_hour(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([
        Span(1, 1, start_ns=1_800 * S, duration_ns=240 * 365 * 24 * HOUR, resource=BOX),
        Span(2, 1, start_ns=1_800 * S, duration_ns=-HOUR, resource=BOX),
        Span(3, 1, start_ns=1_800 * S, duration_ns=169 * HOUR, resource=BOX),
    ])  # fmt: skip
    assert settle(store).windows == 1
    assert {line[:3] for line in lines(store) if line[1] == "request"} == {(0, "request", "CPU time")}
    assert store.query("SELECT spans, spans_too_long FROM machine_coverage") == [{"spans": 3, "spans_too_long": 2}]
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
