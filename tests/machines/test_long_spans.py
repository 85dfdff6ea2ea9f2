"""Spans longer than the hour: each hour that they run in bears its part, whatever comes first."""

from datetime import timedelta
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
