"""What machines cost and who bears it: literal shares worked out by hand."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import MS, NOON, Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances

HOST = {A.HOST_ID: "h1", A.HOST_TYPE: "box"}
LINES = """
SELECT allocation, item, quantity, amount_usd, basis, method FROM ledger
WHERE category = 'compute' ORDER BY allocation, trace_id, span_id
"""


def on_host(trace: int, span: int, parent: int = 0, cpu_ns: int | None = None, **values: Any) -> Span:
    """A span on machine h1."""
    attributes = dict(values.pop("attributes", {}))
    if cpu_ns is not None:
        attributes[A.TOLLBOOK_CPU_TIME] = cpu_ns
    return Span(trace, span, parent, resource=HOST, attributes=attributes, **values)


def amounts(store: Store) -> list[tuple[str, Decimal]]:
    return [(row["allocation"], row["amount_usd"]) for row in store.query(LINES)]


def test_a_request_bears_the_share_of_the_machine_that_it_used(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 2)
    intake.spans([on_host(1, 1, cpu_ns=5 * S, duration_ns=10 * S)])
    settle(store)
    # 10 s seen at 3.60 USD per hour = 0.01 USD for 20 CPU seconds, of which 5 were used.
    assert store.query(LINES) == [
        {
            "allocation": "request",
            "item": "CPU time",
            "quantity": Decimal(5),
            "amount_usd": Decimal("0.0025"),
            "basis": "computed",
            "method": "share of the capacity of the machine, by CPU time without children",
        },
        {
            "allocation": "idle",
            "item": "idle CPU time",
            "quantity": Decimal(15),
            "amount_usd": Decimal("0.0075"),
            "basis": "computed",
            "method": "what no span claims of the machine",
        },
    ]
    assert_the_ledger_balances(store)


def test_a_child_bears_its_own_cpu_time_and_its_parent_the_rest(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([
        on_host(1, 1, cpu_ns=4 * S, duration_ns=10 * S),
        on_host(1, 2, 1, cpu_ns=3 * S, start_ns=S, duration_ns=5 * S),
    ])  # fmt: skip
    settle(store)
    assert amounts(store) == [("request", Decimal("0.001")), ("request", Decimal("0.003")), ("idle", Decimal("0.006"))]


def test_cpu_time_of_a_child_on_another_thread_is_not_the_parents(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([
        on_host(1, 1, cpu_ns=4 * S, duration_ns=10 * S, attributes={"thread.id": 1}),
        on_host(1, 2, 1, cpu_ns=3 * S, duration_ns=5 * S, attributes={"thread.id": 2}),
    ])  # fmt: skip
    settle(store)
    assert amounts(store) == [("request", Decimal("0.004")), ("request", Decimal("0.003")), ("idle", Decimal("0.003"))]


def test_work_in_another_service_is_borne_by_the_same_request(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([
        on_host(1, 1, cpu_ns=S, duration_ns=10 * S),
        on_host(1, 2, 1, cpu_ns=2 * S, duration_ns=5 * S, service="model-server"),
    ])  # fmt: skip
    settle(store)
    assert amounts(store) == [("request", Decimal("0.001")), ("request", Decimal("0.002")), ("idle", Decimal("0.007"))]
    assert store.query("SELECT cost_usd FROM requests") == [{"cost_usd": Decimal("0.003")}]


def test_without_cpu_time_the_wall_time_is_an_estimate(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 2)
    intake.spans([
        on_host(1, 1, duration_ns=10 * S),
        on_host(1, 2, 1, start_ns=S, duration_ns=4 * S, kind="client"),
        on_host(1, 3, 1, start_ns=3 * S, duration_ns=4 * S, kind="client"),
    ])  # fmt: skip
    settle(store)
    # 10 s less the 6 s that two overlapping waits cover; the waits themselves claim nothing.
    assert [(row["quantity"], row["amount_usd"], row["basis"]) for row in store.query(LINES)] == [
        (Decimal(4), Decimal("0.002"), "estimated"),
        (Decimal(16), Decimal("0.008"), "computed"),
    ]


def test_claims_beyond_the_capacity_are_scaled_down(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([on_host(trace, 1, duration_ns=10 * S) for trace in (1, 2, 3)])
    settle(store)
    third = Decimal("0.003333333333333333")
    assert amounts(store) == [("request", third)] * 3 + [("idle", Decimal("1e-18"))]
    assert_the_ledger_balances(store)


def test_metrics_show_that_a_machine_was_there(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([on_host(1, 1, cpu_ns=S, duration_ns=S)])
    intake.points([Point("process.cpu.time", 1.0, time_ns=100 * S, resource=HOST, cumulative=True)])
    settle(store)
    assert amounts(store) == [("request", Decimal("0.001")), ("idle", Decimal("0.099"))]


def test_a_machine_is_billed_in_each_hour_for_its_time_there(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([on_host(1, 1, cpu_ns=S, start_ns=3_590 * S, duration_ns=60 * S)])
    settle(store)
    assert store.query("SELECT observed_ns, amount_usd FROM hosts ORDER BY window") == [
        {"observed_ns": 10 * S, "amount_usd": Decimal("0.01")},
        {"observed_ns": 50 * S, "amount_usd": Decimal("0.05")},
    ]


def test_a_machine_without_a_rate_is_listed_and_costs_nothing_known(store: Store, intake: Intake) -> None:
    intake.spans([on_host(1, 1, cpu_ns=S)])
    summary = settle(store)
    assert (summary.lines, summary.unrated_hosts) == (0, 1)
    assert store.query("SELECT host, host_type, amount_usd FROM hosts") == [
        {"host": "h1", "host_type": "box", "amount_usd": None}
    ]


def test_a_rate_holds_from_its_day_and_in_its_region(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    set_rate(store, "box", "7.20", 1, valid_from=NOON)
    set_rate(store, "box", "36", 1, region="elsewhere", valid_from=NOON)
    for at in (NOON - timedelta(hours=1), NOON):
        intake.spans([on_host(1, 1, cpu_ns=S, duration_ns=S)], at)
    settle(store)
    costs = store.query("SELECT amount_usd, price_version FROM resource_costs ORDER BY window")
    assert costs == [
        {"amount_usd": Decimal("0.001"), "price_version": "1970-01-01T00:00:00Z"},
        {"amount_usd": Decimal("0.002"), "price_version": "2026-11-20T12:00:00Z"},
    ]


def test_a_span_of_no_time_on_a_machine_seen_for_no_time_costs_nothing(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([on_host(1, 1, duration_ns=0)])
    settle(store)
    assert amounts(store) == []
    assert_the_ledger_balances(store)


def test_a_span_says_what_it_did_itself(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    intake.spans([
        on_host(1, 1, cpu_ns=100 * MS, duration_ns=S, attributes={A.TOLLBOOK_KIND: "request"}),
        on_host(1, 2, 1, cpu_ns=60 * MS, start_ns=100 * MS, duration_ns=300 * MS),
    ])  # fmt: skip
    settle(store)
    assert store.query("SELECT self_ns, cpu_self_ns, cost_usd FROM span_costs ORDER BY span_id") == [
        {"self_ns": 700 * MS, "cpu_self_ns": 40 * MS, "cost_usd": Decimal("0.00004")},
        {"self_ns": 300 * MS, "cpu_self_ns": 60 * MS, "cost_usd": Decimal("0.00006")},
    ]


@pytest.mark.parametrize("rate", ["-1", "NaN", "Infinity"])
def test_a_rate_that_cannot_be_is_refused(store: Store, rate: str) -> None:
    with pytest.raises(ValueError, match="not a rate"):
        set_rate(store, "box", rate, 1)
