"""Files that cannot be a bill: each problem is named with file, line and column, and nothing of any file is stored."""

import csv
import gzip
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tollbook_attribution.bills import BillError, Options, load
from tollbook_schema.store import Store

from tests.bills.conftest import FOCUS_ROW, Folder, as_csv, focus

LESS = {name: value for name, value in FOCUS_ROW.items() if name != "BilledCost"}
GOOGLE = {
    "billing_account_id": "b", "service.description": "Vertex AI", "usage_start_time": "2026-11-20 12:00:00 UTC", "cost": "1",
    "currency": "USD", "invoice.month": "202611", "credits": "[{'name': 'free', 'amount': -1}]",
}  # fmt: skip
"""A row whose credits are written as Python writes lists."""


def packed(folder: Folder, content: bytes) -> Path:
    """A file of these bytes."""
    path = folder.path / "bill.csv"
    path.write_bytes(content)
    return path


PROBLEMS: dict[str, tuple[Callable[[Folder], Path], dict[str, Any], str]] = {
    "a missing column": (lambda f: f.csv(LESS), {}, "bill.csv, line 1, column BilledCost: is missing from this focus file"),
    "no column of currencies": (
        lambda f: f.csv({name: value for name, value in focus().items() if name != "BillingCurrency"}),
        {},
        "column BillingCurrency: is missing from this focus file; if all lines have the same, say it with "
        "--set BillingCurrency=EUR",
    ),
    "a total below the lines": (
        lambda f: f.csv(focus(), {name: "1.5" if name == "BilledCost" else "" for name in focus()}),
        {},
        "bill.csv, line 3, column BilledCost: '1.5' stands on a line without a time and a currency, as a total does: take the "
        "line out of the file\nnothing was stored",
    ),
    "German decimals": (
        lambda f: f.csv(focus(), focus(BilledCost="1.234,56")),
        {},
        "bill.csv, line 3, column BilledCost: '1.234,56' is not a number with a decimal point; for decimal commas import with "
        "--decimal comma",
    ),
    "a number of two readings": (lambda f: f.csv(focus(BilledCost="1,234")), {}, "column BilledCost: '1,234' is not a number"),
    "two points": (lambda f: f.csv(focus(EffectiveCost="1.2.3")), {}, "line 2, column EffectiveCost: '1.2.3' is not a number"),
    "mixed currencies": (
        lambda f: f.csv(focus(), focus(BillingCurrency="EUR", BilledCost="9")),
        {},
        "bill.csv, line 3, column BillingCurrency: 'EUR' but fine.csv, line 2 of the same bill has USD: a bill has one currency",
    ),
    "no such hour": (
        lambda f: f.csv(focus(ChargePeriodStart="2026-11-20T25:00:00Z")),
        {},
        "line 2, column ChargePeriodStart: '2026-11-20T25:00:00Z' is not a time",
    ),
    "no currency": (lambda f: f.csv(focus(BillingCurrency="")), {}, "line 2, column BillingCurrency: is empty"),
    "usage of another month": (
        lambda f: f.csv(focus(), focus(ChargePeriodStart="2026-09-30T23:00:00Z", ChargePeriodEnd="2026-10-01T00:00:00Z")),
        {},
        "line 3, column ChargePeriodStart: '2026-09-30T23:00:00Z' is outside of the billing period",
    ),
    "another billing period than declared": (
        lambda f: f.csv(focus()),
        {"period": "2026-10"},
        "line 2, column BillingPeriodStart: '2026-11-01T00:00:00Z' is not of the billing period 2026-10",
    ),
    "a period that ends before it starts": (
        lambda f: f.csv(focus(BillingPeriodEnd="2026-10-01")),
        {},
        "column BillingPeriodEnd: '2026-10-01' is not after the start of the billing period",
    ),
    "no time": (lambda f: f.csv(focus(ChargePeriodEnd="soon")), {}, "column ChargePeriodEnd: 'soon' is not a time"),
    "a day that may be a month": (lambda f: f.csv(focus(ChargePeriodEnd="13/11/26")), {}, "'13/11/26' is not a time"),
    "a category of its own": (
        lambda f: f.csv(focus(ChargeCategory="Rent")),
        {},
        "column ChargeCategory: 'Rent' is none of Usage, Purchase, Tax, Credit, Adjustment",
    ),
    "the same line twice": (lambda f: f.csv(focus(), focus()), {}, "bill.csv, line 3: is line 2 again, to the last character"),
    "an empty file": (lambda f: f.text(""), {}, "bill.csv: is empty"),
    "a header alone": (
        lambda f: f.text(as_csv([focus()]).split("\n")[0] + "\n"),
        {},
        "bill.csv: is empty: it has a header and no line",
    ),
    "something else": (lambda f: f.text("name,age\nann,3\n"), {}, "bill.csv, line 1: has the columns of no bill that is known"),
    "a row cut off": (
        lambda f: f.text(as_csv([focus(), focus()])[:-60]),
        {},
        "bill.csv, line 3: has 12 cells, and the header 18",
    ),
    "a quote that takes all lines after it": (
        lambda f: f.text(as_csv([focus(), focus(ResourceId="two")]).replace("an hour", '"an hour', 1)),
        {},
        "bill.csv, line 2: opens a quote that nothing closes",
    ),
    "an empty line between": (
        lambda f: f.text(as_csv([focus(), focus()]).replace("an hour\n", "an hour\n\n")),
        {},
        "bill.csv, line 3: is empty",
    ),
    "a cell too many": (
        lambda f: f.text(as_csv([focus()])[:-1] + ",1\n"),
        {},
        "bill.csv, line 2: has 19 cells, and the header 18",
    ),
    "half of a gzip file": (
        lambda f: packed(f, gzip.compress(as_csv([focus()] * 3_000).encode())[:-40]),
        {},
        "bill.csv: is cut off: its gzip ends in the middle",
    ),
    "lines of another time": (
        lambda f: packed(f, as_csv([focus()]).replace("\n", "\r").encode()),
        {},
        "bill.csv: ends its lines with CR alone",
    ),
    "a column in two spellings": (
        lambda f: f.csv({**focus(), "billed_cost": "2"}),
        {},
        "line 1, column BilledCost: is there as BilledCost and as billed_cost: which one",
    ),
    "an object cut off": (
        lambda f: f.text("\n".join(json.dumps(focus(ResourceId=str(i))) for i in range(2)) + '\n{"BilledCost": "1', "bill.jsonl"),
        {},
        "bill.jsonl, line 3: is no JSON: Unterminated string",
    ),
    "credits that are no list of JSON": (
        lambda f: f.csv(GOOGLE),
        {},
        "bill.csv, line 2, column cost: \"credits: [{'name': 'free'",
    ),
    "too many digits": (lambda f: f.csv(focus(BilledCost="0." + "1" * 51)), {}, "has more than 50 digits after the point"),
    "a sum of no bill": (lambda f: f.csv(focus(BilledCost="1" * 30)), {}, "has more than 26 digits before the point"),
    "a broken archive": (lambda f: f.text("PK\x03\x04nothing", "bill.zip"), {}, "bill.zip: is no readable zip archive"),
}


def test_every_problem_is_named_and_nothing_is_stored(store: Store, folder: Folder) -> None:
    for name, (make, options, expected) in PROBLEMS.items():
        with pytest.raises(BillError) as found:
            load(store, [folder.csv(focus(ResourceId="fine"), name="fine.csv"), make(folder)], Options(**options))
        assert expected in str(found.value), name
    for table in ("bill_lines", "bill_periods", "bill_texts"):
        assert store.query(f"SELECT count() AS rows FROM {table}") == [{"rows": 0}]


def test_a_line_is_counted_with_its_line_breaks(store: Store, folder: Folder) -> None:
    before = csv.field_size_limit()
    with pytest.raises(BillError, match="line 5, column BilledCost"):
        load(store, [folder.csv(focus(ChargeDescription=f"one\ntwo\n{before * 'x'}!"), focus(BilledCost="x"))])
    assert csv.field_size_limit() == before


def test_lines_above_the_header_are_counted_with_their_line_breaks(store: Store, folder: Folder) -> None:
    wrong = as_csv([focus(BilledCost="x"), focus(BilledCost="y")]).replace("ChargeDescription", '"Charge\nDescription"', 1)
    with pytest.raises(BillError) as found:
        load(store, [folder.text(f'Account,123\nReport,"of\nall"\n\n{wrong}')])
    assert [problem.line for problem in found.value.problems] == [7, 8]


def test_two_versions_of_a_bill_are_refused_and_a_few_charges_alike_are_not(store: Store, folder: Folder) -> None:
    charges = [focus(BilledCost=str(number)) for number in range(2, 30)]
    early, late = (folder.csv(focus(BilledCost=own), *charges, name=f"{own}.csv") for own in ("0.1", "0.2"))
    with pytest.raises(BillError, match=r"0\.2\.csv, line 3: is line 3 of 0\.1\.csv again, one of 28 .* import the latest alone"):
        load(store, [early, late])
    assert load(store, [late]).lines == 29
    parts = [folder.csv(focus(BilledCost=own), focus(BilledCost="3"), name=f"part {own}.csv") for own in ("0.1", "0.2")]
    found = load(store, parts, Options(replace=True))
    assert found.lines == 4
    assert "part 0.2.csv has 1 lines that part 0.1.csv has too; all of them count" in found.warnings[-1]


def test_versions_of_a_bill_with_other_amounts_are_refused(store: Store, folder: Folder) -> None:
    hours = [focus(ResourceId=f"i-{number}", ChargeDescription="") for number in range(20)]
    early = folder.csv(*hours, name="on the 5th.csv")
    late = folder.csv(*(hour | {"BilledCost": "2"} for hour in (*hours, focus(ResourceId="i-new"))), name="on the 9th.csv")
    told = r"on the 9th\.csv, line 2: is of the same charge as line 2 of on the 5th\.csv, with another amount, as are 20 lines"
    with pytest.raises(BillError, match=told):
        load(store, [early, late])
    assert load(store, [early, late], Options(allow_duplicates=True)).lines == 41
    few = [folder.csv(*(hour | {"BilledCost": cost} for hour in hours[:3]), name=f"{cost}.csv") for cost in ("1", "2")]
    found = load(store, few, Options(replace=True))
    assert found.lines == 6
    assert any("2.csv has 3 charges of 1.csv with other amounts; all of them count: " in warning for warning in found.warnings)
    parts = [
        folder.csv(
            *(focus(ResourceId=f"{part}-{number}") for number in range(3)), focus(ResourceId="", BilledCost=part), name=part
        )
        for part in ("1", "2")
    ]
    assert load(store, parts).warnings == ("aws payer-1 from 2026-11-01: 8 lines (12 USD) in the place of 6 lines (9 USD)",)


def test_a_part_is_added_once_and_in_the_currency_of_its_bill(store: Store, folder: Folder) -> None:
    load(store, [folder.csv(focus(), focus(BilledCost="2"))])
    part = folder.csv(focus(BilledCost="3"), focus(BilledCost="0", ChargeDescription="nothing"), name="part.csv")
    load(store, [part], Options(add=True))
    again = r"part\.csv, line 2: is in force already, one of 2 such lines of 2 that are added: import without --add"
    with pytest.raises(BillError, match=again):
        load(store, [part], Options(add=True))
    euros = folder.csv(focus(BillingCurrency="EUR", BilledCost="4"), name="euros.csv")
    wrong = r"euros\.csv, line 2, column BillingCurrency: 'EUR' but the bill that it is added to is in USD"
    with pytest.raises(BillError, match=wrong):
        load(store, [euros], Options(add=True))
    assert store.query("SELECT sum(billed_cost) AS billed, count() AS lines FROM bill") == [
        {"billed": Decimal("6.5"), "lines": 4}
    ]
    assert store.query("SELECT count() AS lines FROM bill_lines") == [{"lines": 4}]


def test_a_bill_of_two_files_has_one_currency(store: Store, folder: Folder) -> None:
    files = [folder.csv(focus(BillingCurrency=currency), name=f"{currency}.csv") for currency in ("EUR", "USD")]
    with pytest.raises(BillError, match=r"USD\.csv, line 2, column BillingCurrency: 'USD' but EUR\.csv, line 2 of the same bill"):
        load(store, files)


def test_a_file_given_twice_is_refused(store: Store, folder: Folder) -> None:
    with pytest.raises(BillError, match=r"copy\.csv: has the lines of bill\.csv again"):
        load(store, [folder.csv(focus()), folder.csv(focus(), name="copy.csv")])
