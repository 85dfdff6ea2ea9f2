"""Bills against the ledger: billed amounts take the place of estimates, and what is left has a name."""

import csv
import io
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tollbook_attribution import price_book, set_rate, settle
from tollbook_attribution.bills import load
from tollbook_attribution.bills.reconcile import reconcile
from tollbook_schema import attributes as A  # noqa: N812
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.bills import export
from tollbook_ui.figures import Period

from tests.attribution.facts import NOON, Intake, S, Span, chat
from tests.bills.conftest import Folder, focus

WHOLE = {
    "ChargePeriodStart": "2026-11-01",
    "ChargePeriodEnd": "2026-12-01",
    "ConsumedQuantity": "",
    "ConsumedUnit": "",
    "ServiceName": "API",
    "ChargeClass": "",
}
"""A charge of a month, of which no quantity is told."""

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


@pytest.mark.slow
def test_calls_without_a_price_have_their_part_of_what_is_billed(store: Store, intake: Intake, folder: Folder) -> None:
    silent = {"provider": "acme", "model": "silent", "input": None, "output": None}
    intake.spans([
        chat(1, 1, provider="acme", model="nova-9", input=1000, output=100),
        chat(2, 1, provider="acme", model="nova-9", input=3000, output=300, start_ns=1800 * S),
        chat(3, 1, **silent),
        chat(4, 1, **silent),
        chat(5, 1, **silent, error=True),
        chat(6, 1, input=1000, output=100),
        chat(7, 1, model="gpt-99-mini", input=2000, output=200),
        chat(8, 1, provider="zero", model="free-1", input=1000),
        chat(8, 2, provider="zero", model="free-1", input=2000),
        Span(9, 1, duration_ns=3600 * S - 1, resource=BOX, attributes={A.TOLLBOOK_CPU_TIME: 900 * S - 1}),
    ])  # fmt: skip
    nothing = {"provider": "zero", "model": "free-1", "item": "input", "per": "1M", "amount": "0"}
    price_book.set_price(store, nothing, NOON)
    settle(store)
    acme, openai = ({"ServiceProviderName": who, **WHOLE} for who in ("Acme", "OpenAI"))
    load(store, [folder.csv(
        focus(BilledCost="8.8", ResourceId="nova-9", **acme),
        focus(BilledCost="-0.88", ResourceId="nova-9", ChargeCategory="Credit", **acme),
        focus(BilledCost="-0.44", ResourceId="nova-9", **acme | {"ChargeClass": "Correction"}),
        focus(BilledCost="6", ResourceId="silent", **acme),
        focus(BilledCost="9", ResourceId="", **openai),
        focus(BilledCost="-0.1", ResourceId="", ChargeCategory="Tax", **openai | {"ChargeClass": "Correction"}),
        focus(BilledCost="0.3", ResourceId="free-1", **openai | {"ServiceProviderName": "Zero"}),
        focus(BilledCost="2", ConsumedQuantity="2", ChargePeriodEnd="2026-11-20T14:00:00Z"),
    )])  # fmt: skip
    reconcile(store)
    settle(store)
    told = store.query("""
        SELECT toUInt8(reinterpretAsUInt128(reverse(trace_id))) AS trace, method, sum(amount) AS amount, sum(quantity) AS quantity
        FROM ledger WHERE basis = 'invoice' GROUP BY ALL ORDER BY ALL
    """)
    assert [(row["trace"], row["method"], round(row["amount"], 6), row["quantity"]) for row in told] == [
        (0, "billed as tax in correction, and no line of the ledger explains it", Decimal("-0.1"), 0),
        (0, "billed, and no line of the ledger explains it", 1, 0),
        (0, "billed, split by CPU time", Decimal("0.75"), 2700),
        (1, "billed as credit, split by tokens", Decimal("-0.22"), 0),
        (1, "billed in correction, split by tokens", Decimal("-0.11"), 0),
        (1, "billed, split by tokens", Decimal("2.2"), 1100),
        (2, "billed as credit, split by tokens", Decimal("-0.66"), 0),
        (2, "billed in correction, split by tokens", Decimal("-0.33"), 0),
        (2, "billed, split by tokens", Decimal("6.6"), 3300),
        (3, "billed, split by calls", 3, 1),
        (4, "billed, split by calls", 3, 1),
        (6, "billed, split by the estimate", 3, 1100),
        (7, "billed, split by tokens", 6, 2200),
        (8, "billed, split by tokens", Decimal("0.3"), 3000),
        (9, "billed, split by CPU time", Decimal("0.25"), Decimal("899.999999999")),
    ]
    assert store.query("SELECT line_id FROM ledger GROUP BY line_id HAVING count() > 1") == []
    answers = Answers(store)
    rows = answers.bills.reconciliation().rows
    assert [(row.provider, row.billed, round(row.attributed, 6), round(row.unattributed, 6)) for row in rows] == [
        ("acme", Decimal("13.48"), Decimal("13.48"), 0),
        ("openai", Decimal("8.9"), 9, Decimal("-0.1")),
        ("aws", 2, Decimal("0.25"), 1),
        ("zero", Decimal("0.3"), Decimal("0.3"), 0),
    ]
    day = Period(NOON - timedelta(days=20), NOON + timedelta(hours=12))
    written = list(csv.DictReader(io.StringIO(b"".join(export.focus_csv(store, day)).decode())))
    kinds: dict[tuple[str, str], Decimal] = {}
    for row in written:
        kind = row["ChargeCategory"], row["ChargeClass"]
        kinds[kind] = kinds.get(kind, Decimal(0)) + Decimal(row["BilledCost"])
    assert kinds == {
        ("Usage", ""): Decimal("26.1"),
        ("Usage", "Correction"): Decimal("-0.44"),
        ("Credit", ""): Decimal("-0.88"),
        ("Tax", "Correction"): Decimal("-0.1"),
    }
    lint = pytest.importorskip("focus_data_toolkit.model.validator")
    assert lint.lint_focus_1_4_structure("Cost and Usage", written).ok
