"""Real bills, re-summed: what is stored adds up to what the files say, to the last digit."""

import csv
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest
from tollbook_attribution.bills import load
from tollbook_schema.store import Store

SUMS = (
    "SELECT provider, sum(billed_cost) AS billed, sum(effective_cost) AS effective, count() AS lines FROM bill GROUP BY provider"
)


def told(file: Path, column: str) -> Decimal:
    """Sum of a column, worked out apart from the product; some samples write `$10,100.00 `."""
    with file.open(encoding="utf-8-sig", newline="") as lines:
        return sum((Decimal(re.sub(r"[$, ]", "", row[column])) for row in csv.DictReader(lines)), Decimal(0))


def test_a_focus_bill_adds_up(store: Store, shared_data: Path) -> None:
    file = shared_data / "focus" / "focus_1.0_first300.csv"
    load(store, [file])
    assert store.query(SUMS) == [{"provider": "aws", "billed": told(file, "BilledCost"), "effective": Decimal(3), "lines": 300}]


def test_a_cost_and_usage_report_adds_up(store: Store, shared_data: Path) -> None:
    file = shared_data / "cloud_bills" / "aws_cur_sample.csv"
    load(store, [file])
    cost = told(file, "lineItem/UnblendedCost")
    assert store.query(SUMS) == [{"provider": "aws", "billed": cost, "effective": cost, "lines": 1281}]
    kinds = store.query("SELECT charge_category AS kind, count() AS lines FROM bill GROUP BY kind ORDER BY kind")
    assert kinds == [{"kind": "Tax", "lines": 12}, {"kind": "Usage", "lines": 1269}]


def test_the_examples_of_the_specification_add_up(store: Store, shared_data: Path) -> None:
    files = sorted((shared_data / "focus_spec_examples").glob("*.csv"))
    assert files
    found = load(store, files)
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for file in files:
        expected["acme" if "spend" in file.name else "acmecorp"] += told(file, "BilledCost")
    assert {row["provider"]: row["billed"] for row in store.query(SUMS)} == expected
    assert sum(row.lines for row in found.rows) == sum(row["lines"] for row in store.query(SUMS))


@pytest.mark.parametrize("name", ["saas_examples__simple_agreements__simple_saas_agreements_c.csv"])
def test_dates_with_slashes_have_the_month_first(store: Store, shared_data: Path, name: str) -> None:
    load(store, [shared_data / "focus_spec_examples" / name])
    months = store.query("SELECT toString(billing_period_start) AS start FROM current_bill_periods ORDER BY start")
    assert [row["start"][:10] for row in months] == ["2025-04-01", "2025-05-01", "2025-06-01"]
