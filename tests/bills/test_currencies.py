"""A bill in euros against a ledger in US dollars: converted by the rate of each charge's day; a missing rate is named."""

from datetime import date
from decimal import Decimal

import pytest
from tollbook_attribution import currencies, settle
from tollbook_attribution.bills import load
from tollbook_attribution.bills.reconcile import reconcile
from tollbook_attribution.price_files import BadFileError
from tollbook_schema.store import Store
from tollbook_ui.answers import Answers
from tollbook_ui.bills import show
from tollbook_ui.look.bill import missing_rates

from tests.attribution.facts import NOON, Intake
from tests.bills.conftest import Folder, focus
from tests.bills.test_reconcile import an_hour_of_a_machine

LINES = """
SELECT toString(window) AS hour, sum(amount) AS amount, currency, sum(amount_usd) AS usd
FROM ledger GROUP BY ALL ORDER BY ALL
"""


def test_a_bill_in_euros_is_paid_in_dollars_of_its_days(store: Store, intake: Intake, folder: Folder) -> None:
    an_hour_of_a_machine(store, intake)
    currencies.set_exchange_rate(store, "EUR", "1.10", date(2026, 11, 20), now=NOON)
    currencies.set_exchange_rate(store, "EUR", "1.25", date(2026, 11, 21), now=NOON)
    euros = {"BillingCurrency": "EUR", "ServiceName": "Amazon Elastic Compute Cloud"}
    next_day = {"ChargePeriodStart": "2026-11-21T08:00:00Z", "ChargePeriodEnd": "2026-11-21T09:00:00Z"}
    load(store, [folder.csv(focus(BilledCost="2", **euros), focus(BilledCost="4", ResourceId="i-other", **euros, **next_day))])
    reconcile(store)
    settle(store)
    assert [tuple(row.values()) for row in store.query(LINES)] == [
        ("2026-11-20 12:00:00", 2, "EUR", Decimal("2.2")),
        ("2026-11-21 00:00:00", 4, "EUR", Decimal(5)),
    ]


def test_rates_are_read_however_a_spreadsheet_saved_them(store: Store) -> None:
    text = "currency;day;usd_per_unit\nEUR;2026-11-20;1.10\n;;\nJPY;2026-11-20;0.0066\n"
    assert currencies.load_exchange_rates(store, "ecb.csv", text.encode("utf-16"), NOON) == 2
    assert currencies.load_exchange_rates(store, "ecb.csv", text.encode(), NOON) == 0
    for content, wrong in (
        (b"", "ecb.csv: the file is empty"),
        (b"PK\x03\x04", "ecb.csv: is a workbook"),
        (b'currency,day,usd_per_unit\nEUR,"2026-11-20"x,1.1\n', "ecb.csv, line 2, column day: not CSV"),
        (
            b'currency,day,usd_per_unit\nEUR,2026-11-20,1.1\n"JPY",2026-11-20,"0.0066\n',
            "ecb.csv, line 3, column usd_per_unit: not",
        ),
        (b"currency,day,usd_per_unit\nEUR,2026-11-20\n", "ecb.csv, line 2, column usd_per_unit: the line ends before it"),
        (b"currency,day,usd_per_unit\nEUR,2026-11-20,1,1\n", "ecb.csv, line 2, column usd_per_unit: more values than columns"),
    ):
        with pytest.raises(BadFileError, match=wrong):
            currencies.load_exchange_rates(store, "ecb.csv", content, NOON)


def test_a_charge_without_a_rate_is_named_and_not_in_the_ledger_until_there_is_one(
    store: Store, intake: Intake, folder: Folder
) -> None:
    an_hour_of_a_machine(store, intake)
    estimate = store.query("SELECT sum(amount_usd) AS usd FROM ledger")
    [warning] = Answers(store).bills.take([folder.csv(focus(BilledCost="2", BillingCurrency="EUR"))]).warnings
    nothing = "no exchange rate for EUR on 2026-11-20, nor on any other day"
    assert f"row 1, column BillingCurrency: {nothing}; 1 charge in EUR without one stay out of the ledger until: " in warning
    settle(store)
    assert store.query("SELECT sum(amount_usd) AS usd FROM ledger") == estimate
    asked = Answers(store).bills
    [missing] = asked.reconciliation().missing_rates
    assert (missing.currency, missing.day, missing.known_from) == ("EUR", "2026-11-20", "")
    currencies.set_exchange_rate(store, "EUR", "1.20", date(2026, 12, 1), now=NOON)
    assert asked.reconciliation().missing_rates[0].known_from == "2026-12-01"
    currencies.set_exchange_rate(store, "EUR", "1.15", date(2026, 10, 1), now=NOON)
    nearest = "no exchange rate for EUR on 2026-11-20: the nearest known, of 2026-10-01, holds until 2026-10-08"
    told = " ".join(str(part) for part in show.reconciliation(asked.reconciliation()))
    assert f"{nearest}; 2.000000 EUR of aws are not in the ledger" in told
    assert nearest in asked.take([folder.csv(focus(BilledCost="2", BillingCurrency="EUR"))]).warnings[-1]
    note = missing_rates(asked.reconciliation())
    assert note is not None
    assert note.items == (f"2.00 EUR of aws: {nearest}",)
    assert note.commands == ("tollbook prices rate EUR USD_PER_EUR --on 2026-11-20",)
    assert note.commands[0] in told
    currencies.set_exchange_rate(store, "EUR", "1.10", date(2026, 11, 20), now=NOON)
    reconcile(store)
    settle(store)
    assert store.query("SELECT sum(amount_usd) AS usd FROM ledger") == [{"usd": Decimal("2.2")}]
