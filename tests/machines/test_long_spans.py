"""Spans longer than the hour: each hour that they run in bears its part, whatever comes first."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, Span
from tests.attribution.laws import assert_the_ledger_balances

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
    set_rate(store, "box", "3.60", 2)
    intake.spans([
        Span(1, 1, start_ns=1_800 * S, duration_ns=9_000 * S, resource=BOX, attributes={A.TOLLBOOK_TEAM: "red"}),
        Span(2, 1, start_ns=HOUR + 600 * S, duration_ns=600 * S, resource=BOX, attributes={A.TOLLBOOK_TEAM: "blue"}),
    ])  # fmt: skip
    settle(store)
    # The box has two CPUs at 0.0005 USD a CPU second; it is there for half of the first hour and for all of the others.
    assert lines(store) == [
        (0, "request", "CPU time", 1, Decimal(1_800), Decimal("0.9"), "red"),
        (0, "idle", "idle CPU time", 0, Decimal(1_800), Decimal("0.9"), ""),
        (1, "request", "CPU time", 1, Decimal(3_600), Decimal("1.8"), "red"),
        (1, "request", "CPU time", 2, Decimal(600), Decimal("0.3"), "blue"),
        (1, "idle", "idle CPU time", 0, Decimal(3_000), Decimal("1.5"), ""),
        (2, "request", "CPU time", 1, Decimal(3_600), Decimal("1.8"), "red"),
        (2, "idle", "idle CPU time", 0, Decimal(3_600), Decimal("1.8"), ""),
    ]
    assert_the_ledger_balances(store)
    before = lines(store)
    assert settle(store).windows == 0
    assert settle(store, since=NOON, until=NOON + timedelta(hours=3)).difference_usd == 0
    assert lines(store) == before


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
    assert store.query("SELECT window, continued, span_count FROM requests ORDER BY window") == [
        {"window": datetime(2026, 11, 20, hour), "continued": hour > 12, "span_count": spans}
        for hour, spans in ((12, 2), (13, 1), (14, 0))
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
