"""The same facts give the same ledger, in whatever order and pieces they come, and whatever pieces an hour is settled in."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tollbook_attribution import policies, prices, ranges, set_rate, settle
from tollbook_attribution.pace import quiet
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, Span, chat
from tests.attribution.laws import assert_the_ledger_balances
from tests.attribution.test_law import MONEY, spans

DERIVED = ("ledger", "calls", "requests", "span_costs", "resource_costs", "hosts", "lineage", "costs")
EVERYTHING = "SELECT * EXCEPT settlement FROM {table} ORDER BY ALL"
METHODS = st.sampled_from(["separate", "none", "by-node", "by-cluster", "by-use"])
OWN = ("openai", "gpt-4o")


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[list[Span], list[list[Span]]]:
    """Spans in one order, and the same ones in another order and in several pieces."""
    told = draw(st.lists(spans(), min_size=2, max_size=10))
    mixed = draw(st.permutations(told))
    cut = draw(st.integers(1, len(mixed)))
    return told, [piece for piece in (mixed[:cut], mixed[cut:]) if piece]


@pytest.mark.long
@settings(max_examples=2, deadline=None, suppress_health_check=list(HealthCheck))
@given(arrived=arrivals(), usd_per_hour=MONEY, usd_per_million=MONEY, method=METHODS)
def test_neither_order_nor_lateness_nor_pieces_change_what_was_settled(
    store: Store,
    intake: Intake,
    monkeypatch: pytest.MonkeyPatch,
    arrived: tuple[list[Span], list[list[Span]]],
    usd_per_hour: Decimal,
    usd_per_million: Decimal,
    method: str,
) -> None:
    at_once, pieces = arrived
    _forget(store, "instance_rates", "policies")
    set_rate(store, "box", usd_per_hour, 2)
    policies.set_policy(store, "idle", method)
    prices.add(store, [_own_price(item, usd_per_million) for item in ("input", "output")])

    _forget(store)
    intake.spans(at_once)
    settle(store)
    assert_the_ledger_balances(store)
    whole = dict(_everything(store))

    _forget(store)
    with monkeypatch.context() as patch:
        patch.setattr(ranges, "SPANS_AT_A_TIME", 6)
        for piece in pieces:
            intake.spans(piece)
            settle(store)
        assert dict(_everything(store)) == whole
        assert settle(store, since=NOON, until=NOON + timedelta(hours=3)).difference_usd == 0
    assert dict(_everything(store)) == whole
    assert_the_ledger_balances(store)


def test_an_hour_in_ranges_has_every_trace_once(store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "SPANS_AT_A_TIME", 4)
    window = {"tenant": "default", "window": NOON, "until": NOON + timedelta(hours=1)}
    intake.spans([chat(trace, span, input=1_000) for trace in range(1, 13) for span in (1, 2)])
    settled = settle(store)
    assert (settled.spans, settled.calls, settled.lines) == (24, 24, 24)
    found = ranges.of_window(store.node("any"), window, 100)
    assert len(found) > 3
    assert (found[0].first, found[-1].last) == (ranges.FIRST, ranges.LAST)
    assert all(int(after.first, 16) - int(before.last, 16) == 1 for before, after in pairwise(found))
    assert {"work_spans", "ledger_settled"} <= set(found[0].tables)
    assert_the_ledger_balances(store)


def test_beside_a_collector_each_statement_takes_its_turn_and_the_lines_are_the_same(
    store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "SPANS_AT_A_TIME", 40)
    intake.spans([chat(trace, span, input=1_000) for trace in range(1, 13) for span in (1, 2)])
    settle(store)
    whole = dict(_everything(store))
    asked: list[bool] = []

    def waits() -> bool:
        asked.append(len(asked) % 2 == 0)
        return asked[-1]

    settle(store, since=NOON, pace=quiet(waits))
    assert dict(_everything(store)) == whole
    assert asked.count(True) == asked.count(False) > 60, "each statement of each range"


def test_a_trace_of_any_size_is_one_range(store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "SPANS_AT_A_TIME", 2)
    intake.spans([chat(7, span, input=1) for span in range(1, 10)])
    window = {"tenant": "default", "window": NOON, "until": datetime(2026, 11, 20, 13, tzinfo=NOON.tzinfo)}
    assert [piece.last[-2:] for piece in ranges.of_window(store.node("any"), window, 100)] == ["07", "ff"]


def _own_price(item: str, usd_per_million: Decimal) -> prices.Price:
    provider, model = OWN
    return prices.Price(
        version=f"{usd_per_million}", provider=provider, model=model, item=item, unit="token", source="a contract",
        amount=prices.each(usd_per_million, 1_000_000), quoted=usd_per_million, per=1_000_000,
    )  # fmt: skip


def _forget(store: Store, *more: str) -> None:
    for table in ("spans", "fact_hours", "settlements", *more):
        store.command(f"TRUNCATE TABLE {table}")


def _everything(store: Store) -> Iterator[tuple[str, list[dict[str, object]]]]:
    for table in DERIVED:
        yield table, store.query(EVERYTHING.format(table=table))
