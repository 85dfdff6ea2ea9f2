"""What was attributed, written as FOCUS 1.4: CSV day by day, so that memory follows the largest day, or Parquet in one piece."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from tollbook_schema import sql
from tollbook_schema.store import Reads

from tollbook_ui.figures import Period

COLUMNS = (
    "AllocatedMethodDetails", "AllocatedMethodId", "AllocatedResourceId", "AllocatedResourceName", "AllocatedTags", "BilledCost",
    "BillingAccountId", "BillingAccountName", "BillingCurrency", "BillingPeriodEnd", "BillingPeriodStart", "ChargeCategory",
    "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd", "ChargePeriodStart", "ConsumedQuantity",
    "ConsumedUnit", "ContractedCost", "EffectiveCost", "HostProviderName", "InvoiceIssuerName", "ListCost", "PricingQuantity",
    "PricingUnit", "RegionId", "RegionName", "ResourceId", "ResourceName", "ResourceType", "ServiceCategory", "ServiceName",
    "ServiceProviderName", "ServiceSubcategory", "SubAccountId", "SubAccountName", "Tags", "x_Allocation", "x_Basis", "x_Item",
    "x_Model", "x_Simulated", "x_Waste",
)  # fmt: skip
"""In the order of the query; FOCUS orders its columns by name."""

DAY = timedelta(days=1)


def focus_csv(reads: Reads, period: Period) -> Iterator[bytes]:
    """The ledger of a period of whole hours as CSV, piece by piece."""
    head = io.StringIO()
    csv.writer(head, lineterminator="\n").writerow(COLUMNS)
    yield head.getvalue().encode()
    question = _text("focus_text").replace("FROM focus_rows", f"FROM (\n{_text('focus')}\n)")
    for since, until in _days(period):
        yield reads.written(question, {"since": since, "until": until}, "CSV")


def focus_parquet(reads: Reads, period: Period) -> Iterator[bytes]:
    """The same as Parquet: costs as decimals, unknown values as NULL."""
    yield reads.written(_text("focus"), {"since": period.since, "until": period.until}, "Parquet")


FORMS: Mapping[str, Callable[[Reads, Period], Iterator[bytes]]] = {"csv": focus_csv, "parquet": focus_parquet}


def _days(period: Period) -> Iterator[tuple[datetime, datetime]]:
    since = period.since.astimezone(UTC)
    while since < period.until:
        until = min(since.replace(hour=0, minute=0, second=0, microsecond=0) + DAY, period.until)
        yield since, until
        since = until


def _text(name: str) -> str:
    return sql.text("tollbook_ui", f"bills/queries/{name}.sql")
