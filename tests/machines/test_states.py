"""What accelerators did, who bears what of them, and why the rest was idle: worked out by hand."""

from decimal import Decimal
from typing import Any

from tollbook_attribution import settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances
from tests.machines.devices import HOST, on_gpu, set_gpu_price

STATES = """
SELECT state, subject, device_seconds, cost_usd FROM accelerator_states WHERE isNotNull(cost_usd) ORDER BY device, state, subject
"""
LINES = "SELECT allocation, item, quantity, amount_usd FROM ledger WHERE category = 'accelerator' ORDER BY ALL"


def rows(store: Store, question: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in store.query(question)]


def test_concurrent_requests_share_a_device_and_its_idle_time_has_a_cause(store: Store, intake: Intake) -> None:
    set_gpu_price(store, "H100", "3.60")
    read = {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: "read", A.TOLLBOOK_HANDOFF_SOURCE: "s3"}
    intake.spans([
        Span(1, 1, resource=HOST, duration_ns=10 * S, attributes={A.TOLLBOOK_KIND: "request"}),
        Span(1, 2, 1, resource=HOST, start_ns=1 * S, duration_ns=2 * S, attributes=read),
        on_gpu(1, 3, 1, start_ns=3 * S, duration_ns=4 * S),
        on_gpu(2, 3, 0, start_ns=5 * S, duration_ns=4 * S),
        on_gpu(3, 1, 0, device="TPU-1", resource={}, attributes={A.HW_MODEL: "unheard of"}),
    ])  # fmt: skip
    settle(store)
    # 10 s at 0.001 USD: 3 to 5 is the first's, 5 to 7 both, 7 to 9 the second's; 1 to 3 waits for s3; nobody asks at either end.
    assert rows(store, STATES) == [
        ("active", "", Decimal(6), Decimal("0.006")),
        ("waiting for data", "s3", Decimal(2), Decimal("0.002")),
        ("no requests", "", Decimal(2), Decimal("0.002")),
    ]
    assert rows(store, LINES) == [
        ("request", "accelerator time", Decimal(3), Decimal("0.003")),
        ("request", "accelerator time", Decimal(3), Decimal("0.003")),
        ("idle", "accelerator waiting for data", Decimal(2), Decimal("0.002")),
        ("idle", "accelerator without requests", Decimal(2), Decimal("0.002")),
    ]
    assert_the_ledger_balances(store)
    # The machine has no rate; the fifth span is on no machine at all, on a device that has no price.
    coverage = (
        "SELECT spans, spans_without_host, spans_without_rate, accelerators, accelerators_without_price FROM machine_coverage"
    )
    assert rows(store, coverage) == [(5, 1, 4, 2, 1)]


def test_a_whole_hour_of_a_device_is_told_apart_to_the_second(store: Store, intake: Intake) -> None:
    set_gpu_price(store, "H100", "3.60")
    intake.spans([on_gpu(1, 1, duration_ns=900 * S), on_gpu(2, 1, start_ns=3_599 * S, duration_ns=S)])
    intake.points(
        [Point("hw.gpu.utilization", 0.75, at * S, attributes={"hw.id": "GPU-1"}, resource=HOST) for at in (0, 1_800, 3_599)]
    )
    settle(store)
    # Held by the process for 3,600 s, by spans for 901 s; its samples say that it was busy for 2,700 s.
    states = {row[0]: (round(row[2], 3), round(row[3], 6)) for row in rows(store, STATES)}
    assert states == {
        "active": (901, Decimal("0.901")),
        "unclaimed": (1_799, Decimal("1.799")),
        "no requests": (900, Decimal("0.9")),
    }
    assert_the_ledger_balances(store)
