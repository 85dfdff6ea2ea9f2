"""Fixtures of the bill's tests: where to write the files that they import."""

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.attribution.conftest import intake

__all__ = ["intake"]

FOCUS_ROW = {
    "BilledCost": "1.50",
    "EffectiveCost": "1.50",
    "ListCost": "2.00",
    "ContractedCost": "1.50",
    "BillingAccountId": "payer-1",
    "BillingCurrency": "USD",
    "BillingPeriodStart": "2026-11-01T00:00:00Z",
    "BillingPeriodEnd": "2026-12-01T00:00:00Z",
    "ChargeCategory": "Usage",
    "ChargePeriodStart": "2026-11-20T12:00:00Z",
    "ChargePeriodEnd": "2026-11-20T13:00:00Z",
    "ServiceProviderName": "AWS",
    "ServiceName": "Amazon Elastic Compute Cloud",
    "SubAccountId": "1234",
    "ResourceId": "i-0abc",
    "ConsumedQuantity": "1",
    "ConsumedUnit": "Hours",
    "ChargeDescription": "an hour",
}


def focus(**changes: str) -> dict[str, str]:
    """A row of FOCUS 1.4, with these columns otherwise."""
    return {**FOCUS_ROW, **changes}


def as_csv(rows: Sequence[Mapping[str, str]], delimiter: str = ",") -> str:
    """Rows as a file with a header."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


class Folder:
    """Where a test writes its files."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def csv(self, *rows: Mapping[str, str], name: str = "bill.csv", delimiter: str = ",") -> Path:
        """A CSV file of these rows."""
        return self.text(as_csv(rows, delimiter), name)

    def text(self, content: str, name: str = "bill.csv") -> Path:
        """A file of this text."""
        file = self.path / name
        file.write_text(content, encoding="utf-8")
        return file


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Where a test writes its files."""
    return Folder(tmp_path)
