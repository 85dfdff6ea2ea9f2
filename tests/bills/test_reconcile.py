"""Bills against the ledger: billed amounts take the place of estimates, and what is left has a name."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from tollbook_attribution import set_rate, settle
from tollbook_attribution.bills import load
from tollbook_attribution.bills.reconcile import reconcile
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store

from tests.attribution.facts import NOON, Intake, S, Span, chat
from tests.bills.conftest import Folder, focus

BOX = {A.HOST_ID: "i-0abc", A.HOST_TYPE: "box"}


def ledger(store: Store) -> list[dict[str, Any]]:
    return store.query("""
        SELECT toString(allocation) AS allocation, toString(basis) AS basis, provider, account, sum(amount_usd) AS amount_usd
        FROM ledger GROUP BY ALL ORDER BY ALL
    """)


def an_hour_of_a_machine(store: Store, intake: Intake) -> None:
    set_rate(store, "box", "1.00", 1)
    busy = {A.TOLLBOOK_CPU_TIME: 900 * S}
    intake.spans([Span(1, 1, duration_ns=3600 * S - 1, resource=BOX, attributes=busy, service="a")])
    settle(store)


def test_a_billed_machine_costs_what_was_billed(store: Store, intake: Intake, folder: Folder) -> None:
    an_hour_of_a_machine(store, intake)
    load(
        store,
        [folder.csv(focus(BilledCost="1.2", ResourceId="arn:aws:ec2:us-east-1:1234:instance/i-0abc", ConsumedQuantity="1"))],
    )
    assert reconcile(store).changed
    settle(store)
    rows = ledger(store)
    assert sum(row["amount_usd"] for row in rows) == Decimal("1.2")
    assert {(row["basis"], row["provider"], row["account"]) for row in rows} == {("invoice", "aws", "1234")}
    assert {row["allocation"] for row in rows} >= {"request", "idle"}
    assert not reconcile(store).changed
    assert settle(store).windows == 0
    again = settle(store, since=NOON, until=NOON + timedelta(hours=1))
    assert again.difference_usd == 0


def test_a_bill_of_a_provider_as_a_whole_is_split_over_its_calls(store: Store, intake: Intake, folder: Folder) -> None:
    intake.spans([chat(1, 1, input=1000, output=100), chat(2, 2, input=3000, output=300, start_ns=7200 * S)])
    settle(store)
    month = {
        "ChargePeriodStart": "2026-11-01",
        "ChargePeriodEnd": "2026-12-01",
        "ResourceId": "",
        "ConsumedQuantity": "",
        "ConsumedUnit": "",
    }
    load(
        store,
        [folder.csv(focus(ServiceProviderName="OpenAI, LLC", ServiceName="API", BilledCost="100.000000000000000001", **month))],
    )
    reconcile(store)
    settle(store)
    [attributed] = ledger(store)
    assert attributed["amount_usd"] == Decimal("100.000000000000000001")
    per_request = store.query("SELECT cost_usd FROM requests ORDER BY cost_usd")
    assert [round(row["cost_usd"], 6) for row in per_request] == [25, 75]


def test_what_no_telemetry_explains_has_a_name(store: Store, intake: Intake, folder: Folder) -> None:
    an_hour_of_a_machine(store, intake)
    rows = [
        focus(
            ResourceId="i-0abc",
            BilledCost="24",
            ConsumedQuantity="24",
            ChargePeriodStart="2026-11-20",
            ChargePeriodEnd="2026-11-21",
        ),
        focus(ResourceId="i-unseen", BilledCost="3"),
        focus(ChargeCategory="Tax", ResourceId="", BilledCost="0.5"),
        focus(ChargeCategory="Credit", ResourceId="", BilledCost="-2"),
    ]
    load(store, [folder.csv(*rows)])
    reconcile(store)
    settle(store)
    items = store.query(
        "SELECT item, sum(amount_usd) AS amount_usd FROM ledger WHERE allocation = 'unattributed' GROUP BY item ORDER BY item"
    )
    assert [row["item"] for row in items] == ["credit", "tax", "usage that no telemetry tells of", "usage without telemetry"]
    assert sum(row["amount_usd"] for row in ledger(store)) == Decimal("25.5")
    assert round(items[2]["amount_usd"], 6) == 23
