"""Memory by samples that processes report: every line worked out by hand."""

from decimal import Decimal

from tollbook_attribution import set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances

HOST = {A.HOST_ID: "h", A.HOST_TYPE: "box"}
GIB = 2**30
LINES = """
SELECT
    item, toString(allocation) AS allocation, toUInt64(reinterpretAsUInt64(reverse(trace_id))) AS trace, quantity,
    amount_usd, basis
FROM ledger
WHERE category = 'compute' ORDER BY item, trace, allocation
"""


def test_cpu_and_memory_lines_of_a_machine_that_reports_both(store: Store, intake: Intake) -> None:
    """A machine of 2 CPUs and 8 GiB, 3.60 USD an hour of which a quarter is for memory, seen for 100 s: 0.10 USD.

    CPUs: 0.075 USD for 200 s of CPU, so 0.000375 a second. Memory: 0.025 USD for 800 GiB s, so 0.00003125 a GiB second.
    One process holds 2 GiB all the time and works on one request after the other; another holds 1 GiB and works half of its
    time, on two requests at once.
    """
    set_rate(store, "box", "3.60", 2, memory_gib=8, memory_share="0.25")
    one, two = {**HOST, A.PROCESS_PID: 1}, {**HOST, A.PROCESS_PID: 2}
    intake.points(
        Point("process.memory.usage", size, second * S, resource=who)
        for who, size in ((one, 2.0 * GIB), (two, 1.0 * GIB))
        for second in (0, 25, 50, 75, 100)
    )
    took = A.TOLLBOOK_CPU_TIME
    intake.spans([
        Span(1, 1, start_ns=0, duration_ns=40 * S, resource=one, attributes={took: 20 * S}),
        Span(2, 1, start_ns=40 * S, duration_ns=60 * S, resource=one, attributes={took: 30 * S}),
        Span(3, 1, start_ns=50 * S, duration_ns=50 * S, resource=two, attributes={took: 10 * S}),
        Span(4, 1, start_ns=50 * S, duration_ns=50 * S, resource=two, attributes={took: 40 * S}),
    ])  # fmt: skip
    settle(store)
    assert_the_ledger_balances(store)
    found = {(row["item"], row["allocation"], row["trace"]): (row["quantity"], row["amount_usd"]) for row in store.query(LINES)}
    assert found == {
        ("CPU time", "request", 1): (Decimal(20), Decimal("0.0075")),
        ("CPU time", "request", 2): (Decimal(30), Decimal("0.01125")),
        ("CPU time", "request", 3): (Decimal(10), Decimal("0.00375")),
        ("CPU time", "request", 4): (Decimal(40), Decimal("0.015")),
        ("idle CPU time", "idle", 0): (Decimal(100), Decimal("0.0375")),
        ("memory time", "request", 1): (Decimal(80), Decimal("0.0025")),
        ("memory time", "request", 2): (Decimal(120), Decimal("0.00375")),
        ("memory time", "request", 3): (Decimal(25), Decimal("0.00078125")),
        ("memory time", "request", 4): (Decimal(25), Decimal("0.00078125")),
        # The second process holds its GiB for 50 s in which it works on nothing.
        ("unclaimed memory time", "unattributed", 0): (Decimal(50), Decimal("0.0015625")),
        ("idle memory time", "idle", 0): (Decimal(500), Decimal("0.015625")),
    }
    assert {row["basis"] for row in store.query(LINES)} == {"computed"}
