"""What was paid ahead: spread over its time, borne by use, the unused part named. An hour of each in one settlement."""

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from tollbook_attribution import commitments, due, policies, set_rate, settle
from tollbook_attribution.commitments import Commitment
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, Span, chat
from tests.attribution.laws import assert_the_ledger_balances
from tests.machines.devices import on_gpu, set_gpu_price

LINES = """
SELECT resource, toString(allocation) AS allocation, item, sum(amount_usd) AS usd FROM ledger
GROUP BY resource, allocation, item ORDER BY resource, allocation, item
"""
BY_TRACE = """
SELECT reinterpretAsUInt64(reverse(trace_id)) AS trace, sum(amount_usd) AS usd FROM ledger WHERE resource = 'commitment:maps'
GROUP BY trace ORDER BY trace
"""
HOUR = 3_600 * S
TEN_HOURS = {"valid_from": NOON - timedelta(hours=5), "valid_until": NOON + timedelta(hours=5)}


def paid(name: str, an_hour: str, **values: Any) -> Commitment:
    """A commitment for ten hours around noon, at so much an hour."""
    return Commitment(commitment_id=name, amount=Decimal(an_hour) * 10, **TEN_HOURS, **values)


def test_what_was_paid_ahead_goes_to_its_users_and_the_rest_is_named(
    store: Store, intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the hour of noon. The nine other hours of what was paid are quiet: they are booked with the day."""
    monkeypatch.setattr(due, "hours", partial(due.hours, now=NOON + timedelta(hours=12)))
    set_rate(store, "box", "9", 1)
    set_rate(store, "other", "8", 1)
    set_rate(store, "third", "1", 1)
    set_rate(store, "third", "0.25", 1, purchase="spot")
    set_gpu_price(store, "H100", "4")
    commitments.add(store, [
        paid("reserved", "2", unit="host_hour", covers="box", capacity_per_hour=Decimal(2)),
        # 10 USD of use at their rates for 6 USD; an hour at 8 and half an hour at 1 use 8.50 of them, spot machines none
        paid("plan of usd", "6", unit="usd", capacity_per_hour=Decimal(10)),
        paid("block", "6", unit="gpu_hour", covers="H100", capacity_per_hour=Decimal(2)),
        paid("ptu", "10", unit="token", covers="gpt-4o", provider="openai", capacity_per_hour=Decimal(10_000)),
        paid("seats", "8", unit="seat", covers="coder", capacity_per_hour=Decimal(4)),
        paid("plan", "3", unit="request", covers="coder"),
        paid("vectors", "6", unit="use", covers="Qdrant", capacity_per_hour=Decimal(6)),
        paid("maps", "4", unit="use", covers="maps"),
        paid("platform", "1"),
        paid("of another tenant", "5", tenant="acme"),
    ])  # fmt: skip
    box = {A.HOST_ID: "b1", A.HOST_TYPE: "box"}
    intake.spans([
        Span(1, 1, resource=box, duration_ns=HOUR, attributes={A.TOLLBOOK_CPU_TIME: HOUR // 4}),
        on_gpu(2, 1, resource={}, duration_ns=HOUR),
        Span(1, 2, 1, resource={A.HOST_ID: "o1", A.HOST_TYPE: "other"}, duration_ns=HOUR),
        Span(1, 3, 1, resource={A.HOST_ID: "o2", A.HOST_TYPE: "third"}, duration_ns=HOUR // 2),
        Span(1, 4, 1, resource={A.HOST_ID: "o3", A.HOST_TYPE: "third", "tollbook.host.purchase": "spot"}, duration_ns=HOUR),
        chat(3, 1, input=2_000, output=500),
        Span(4, 1, service="coder", attributes={"user.id": "ann"}),
        Span(5, 1, service="coder", attributes={"user.id": "ann"}),
        Span(6, 1, service="coder", attributes={"user.id": "bob"}),
        # three queries of which one is told twice; a tool by its quantity
        *(Span(4, 10 + span, parent, attributes={"db.system.name": "qdrant"})
          for span, parent in ((1, 1), (2, 1), (3, 1), (4, 13))),
        Span(5, 11, 1, attributes={"tollbook.service.name": "maps", "tollbook.service.quantity": 3}),
        Span(6, 11, 1, attributes={"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "maps"}),
    ])  # fmt: skip
    settle(store)
    assert_the_ledger_balances(store)
    assert store.query("SELECT service FROM services WHERE unpriced != ''") == []
    assert store.query(BY_TRACE) == [{"trace": 5, "usd": 3}, {"trace": 6, "usd": 1}]
    lines = {(row["resource"], row["allocation"], row["item"]): row["usd"] for row in store.query(LINES)}
    quiet = {key[0].split(":")[1].split("/")[0]: lines[key] for key in lines if key[0].endswith("/quiet hours")}
    an_hour = {"reserved": 2, "block": 6, "ptu": 10, "seats": 8, "plan": 3, "vectors": 6, "maps": 4, "platform": 1,
               "plan of usd": 6}  # fmt: skip
    assert quiet == {name: Decimal(usd * 9) for name, usd in an_hour.items()}
    found = {key: usd for key, usd in lines.items() if not key[0].endswith("/quiet hours")}
    assert found == {
        # Two hours of machines were paid for with 2 USD, one ran: a quarter of it was used.
        ("host:b1", "request", "CPU time"): Decimal("0.25"),
        ("host:b1", "idle", "idle CPU time"): Decimal("0.75"),
        ("commitment:reserved", "idle", "unused commitment"): Decimal(1),
        ("host:o1", "request", "CPU time"): Decimal("4.8"),
        ("host:o2", "request", "CPU time"): Decimal("0.3"),
        ("host:o3", "request", "CPU time"): Decimal("0.25"),
        ("commitment:plan of usd", "idle", "unused commitment"): Decimal("0.9"),
        ("accelerator:GPU-1", "request", "accelerator time"): Decimal(3),
        ("commitment:block", "idle", "unused commitment"): Decimal(3),
        ("commitment:ptu", "request", "commitment"): Decimal("2.5"),
        ("commitment:ptu", "idle", "unused commitment"): Decimal("7.5"),
        ("commitment:seats", "request", "commitment"): Decimal(4),
        ("commitment:seats", "idle", "unused commitment"): Decimal(4),
        ("commitment:plan", "request", "commitment"): Decimal(3),
        ("commitment:vectors", "request", "commitment"): Decimal(3),
        ("commitment:vectors", "idle", "unused commitment"): Decimal(3),
        ("commitment:maps", "request", "commitment"): Decimal(4),
        ("commitment:platform", "shared", "fixed fee"): Decimal(1),
    }
    # By use, the fee is borne by how long the six requests took: 3,600 s twice and 1 s four times.
    policies.set_policy(store, "shared", "by-use")
    assert settle(store, since=NOON, until=NOON + timedelta(hours=12)).windows == 2
    assert_the_ledger_balances(store)
    assert store.query("SELECT sum(amount_usd) AS usd FROM ledger WHERE price_id = 'platform'") == [{"usd": 10}]
    rows = store.query("SELECT amount_usd, method FROM ledger WHERE item = 'share of fixed fee' ORDER BY trace_id")
    assert [round(row["amount_usd"] * 7_204, 12) for row in rows] == [3_600, 3_600, 1, 1, 1, 1]
    assert sum(row["amount_usd"] for row in rows) == 1
    assert {row["method"] for row in rows} == {"shared by use: borne by how long each request took"}


def test_a_further_period_does_not_take_the_place_of_an_earlier_one(store: Store) -> None:
    begins, ends = TEN_HOURS.values()
    commitments.add(store, [paid("plan", "1")])
    further = Commitment(commitment_id="plan", amount=Decimal(9), valid_from=ends, valid_until=ends + timedelta(days=1))
    with pytest.raises(ValueError, match=r"plan is what was paid from .* needs a name of its own"):
        commitments.add(store, [further])
    longer = Commitment(commitment_id="plan", amount=Decimal(11), valid_from=begins, valid_until=ends + timedelta(hours=1))
    commitments.add(store, [longer])
    assert [row.amount for row in commitments.commitments(store)] == [11]


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"unit": "cow"}, "counted in"),
        ({"unit": "host_hour", "covers": "box"}, "how many an hour"),
        ({"unit": "token"}, "what it covers"),
        ({"amount": Decimal("NaN")}, "not an amount"),
        ({"valid_until": NOON - timedelta(days=9)}, "before it begins"),
        ({"capacity_per_hour": Decimal(0)}, "more than 0"),
    ],
)
def test_a_commitment_that_cannot_be_is_refused(values: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        commitments.checked(Commitment(**{"commitment_id": "x", "amount": Decimal(1), **TEN_HOURS, **values}))
