"""Who bears idle money under each policy: the same facts, other lines, the same total to the last digit."""

from datetime import timedelta
from decimal import Decimal

import pytest
from tollbook_attribution import policies, set_rate, settle
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, Point, S, Span
from tests.attribution.laws import assert_the_ledger_balances
from tests.machines.devices import set_kwh

LINES = """
SELECT
    toUInt64(reinterpretAsUInt64(reverse(trace_id))) AS trace, toString(allocation) AS allocation, item, resource,
    amount_usd, method
FROM ledger
WHERE category = 'compute' ORDER BY trace, allocation, resource, item
"""


def on(host: str, trace: int, cpu_s: int, cluster: str = "") -> Span:
    """A span of 10 s on a machine."""
    resource = {A.HOST_ID: host, A.HOST_TYPE: "box", **({A.K8S_CLUSTER_NAME: cluster} if cluster else {})}
    return Span(trace, 1, resource=resource, duration_ns=10 * S, attributes={A.TOLLBOOK_CPU_TIME: cpu_s * S})


def test_each_policy_gives_idle_money_to_whom_it_says(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "3.60", 1)
    # Each machine costs 0.010 in its 10 s. East: h1 with 1 s and 1 s used, h2 with 6 s. West: h3 with 2 s.
    intake.spans([on("h1", 1, 1, "east"), on("h1", 2, 1, "east"), on("h2", 3, 6, "east"), on("h3", 4, 2, "west")])
    idle, share = "idle CPU time", "share of idle CPU time"
    assert [settled(store, method) for method in ("separate", "none", "by-node", "by-cluster", "by-use")] == [
        {(0, "idle", idle): Decimal("0.020")},
        {(0, "unattributed", "unused CPU time"): Decimal("0.020")},
        {(trace, "request", share): Decimal(usd) for trace, usd in {1: "0.004", 2: "0.004", 3: "0.004", 4: "0.008"}.items()},
        {(trace, "request", share): Decimal(usd) for trace, usd in {1: "0.0015", 2: "0.0015", 3: "0.009", 4: "0.008"}.items()},
        {(trace, "request", share): Decimal(usd) for trace, usd in {1: "0.002", 2: "0.002", 3: "0.012", 4: "0.004"}.items()},
    ]


def settled(store: Store, method: str) -> dict[tuple[int, str, str], Decimal]:
    """What other lines than CPU time come to under a policy."""
    policies.set_policy(store, "idle", method)
    settle(store, since=NOON, until=NOON + timedelta(hours=1))
    assert_the_ledger_balances(store)
    found: dict[tuple[int, str, str], Decimal] = {}
    for row in store.query(LINES):
        if row["item"] != "CPU time":
            key = row["trace"], row["allocation"], row["item"]
            found[key] = found.get(key, Decimal(0)) + row["amount_usd"]
            assert not method.startswith("by-") or method in row["method"].replace(" ", "-"), row
    return found


@pytest.mark.parametrize(("subject", "method"), [("idle", "by-luck"), ("lunch", "equal"), ("accelerator", "by-node")])
def test_a_policy_that_does_not_exist_is_refused(store: Store, subject: str, method: str) -> None:
    with pytest.raises(ValueError, match=r"is about|goes"):
        policies.set_policy(store, subject, method)


def test_a_span_bears_idle_electricity_of_a_machine_in_one_line(store: Store, intake: Intake) -> None:
    """Also where it used its CPUs and its accelerator, each with a meter of its own."""
    set_kwh(store, "0.36")
    policies.set_policy(store, "idle", "by-node")
    place, held = {A.HOST_ID: "h1"}, {A.HW_ID: "GPU-a", A.TOLLBOOK_KIND: "inference"}
    intake.spans([Span(1, 1, start_ns=10 * S, duration_ns=10 * S, resource=place, attributes=held | {A.TOLLBOOK_CPU_TIME: S})])
    intake.points([Point("hw.energy", 100.0 * at, at * 10 * S, True, {"hw.id": "GPU-a"}, place) for at in range(4)])
    intake.points([Point("hw.host.energy", 500.0 * at, at * 10 * S, True, {}, place) for at in range(4)])
    settle(store)
    shares = store.query("SELECT resource FROM ledger WHERE item LIKE 'share of %' ORDER BY resource, item")
    assert shares == [{"resource": "accelerator:GPU-a"}, {"resource": "host:h1"}]
    assert_the_ledger_balances(store)
