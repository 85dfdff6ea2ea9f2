"""A bill with odd lines: credits that leave next to nothing, zeros, names with everything in them, three currencies."""

import csv
import io
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from tollbook_attribution import currencies, settle
from tollbook_attribution.bills import load
from tollbook_attribution.bills.reconcile import reconcile
from tollbook_schema.store import Store
from tollbook_ui.bills import export
from tollbook_ui.bills.figures import Statement

from tests.attribution.facts import NOON, Intake
from tests.bills.conftest import Folder, focus
from tests.bills.test_answers import DAY
from tests.bills.test_reconcile import an_hour_of_a_machine

LINES = [
    focus(BilledCost="12.5"),
    focus(BilledCost="-12.4999999", ChargeCategory="Credit"),
    focus(BilledCost="0", ResourceId="i-free"),
    focus(BilledCost="-3", ResourceId="", ServiceName='Support, "Gold"\nplan; 50 % \\ off'),
    focus(BilledCost="0.000000000000000000000000000001", ResourceId="größe/测试", ServiceName=""),
    focus(BilledCost="7", BillingAccountId="", SubAccountId="", ServiceProviderName="Ærø & Søn GmbH"),
    focus(BilledCost="8", BillingAccountId="eu", BillingCurrency="EUR", ChargeCategory="Adjustment", ResourceId=""),
    focus(BilledCost="800", BillingAccountId="jp", BillingCurrency="JPY", ChargeCategory="Purchase", ResourceId=""),
]


def test_odd_lines_are_told_as_focus_that_lints_clean(store: Store, intake: Intake, folder: Folder) -> None:
    lint = pytest.importorskip("focus_data_toolkit.model.validator")
    an_hour_of_a_machine(store, intake)
    currencies.set_exchange_rate(store, "EUR", "1.10", date(2026, 11, 20), now=NOON)
    load(store, [folder.csv(*LINES)])
    reconcile(store)
    settle(store)
    rows = list(csv.DictReader(io.StringIO(b"".join(export.focus_csv(store, DAY)).decode())))
    report = lint.lint_focus_1_4_structure("Cost and Usage", rows)
    assert report.ok, report.messages()[:5]
    totals: dict[str, Decimal] = {}
    for row in rows:
        totals[row["BillingCurrency"]] = totals.get(row["BillingCurrency"], Decimal(0)) + Decimal(row["BilledCost"])
    # Yen have no rate, so they are pending; what is below the 18th decimal is none of the ledger's.
    assert totals == {"USD": Decimal("12.5") - Decimal("12.4999999") - 3 + 7, "EUR": Decimal(8)}


def test_a_bill_of_many_digits_closes_to_the_last_one() -> None:
    parts = {"attributed": "324.562266694961212628", "idle": "999675.437733305038787372", "shared": "0", "unattributed": "2E-30"}
    others = dict.fromkeys(
        ("pending", "billed_usd", "estimate_usd", "price_usd", "quantity_usd", "unknown_usage_usd"), Decimal(0)
    )
    amounts = {name: Decimal(amount) for name, amount in parts.items()}
    row = Statement("2026-11-01", "aws", "2", "Support", "USD", billed=Decimal(f"1000000.{'0' * 29}2"), **amounts, **others)
    assert row.closes
    assert not replace(row, unattributed=Decimal("1E-30")).closes
