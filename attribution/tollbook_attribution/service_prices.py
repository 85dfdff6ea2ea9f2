"""Public list prices of data transfer, storage and services, dated, with their sources: until somebody sets their own."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from tollbook_schema import sql
from tollbook_schema.store import Store

from tollbook_attribution import prices
from tollbook_attribution.prices import NO_LIMIT, Price

SOURCE = "public list prices"
VERSION = "2026-11-22"
"""When `service_prices.csv` was changed last; a new date makes a new list of it."""


def seed(store: Store) -> int:
    """Adds the list to the book, once per version. Returns the number of rows added."""
    if prices.has_version(store, SOURCE, VERSION):
        return 0
    rows = list(rows_of_list())
    prices.insert(store, rows)
    return len(rows)


def rows_of_list() -> Iterator[Price]:
    """The list's prices; each says where it is from and when it was looked up."""
    lines = sql.text("tollbook_attribution", "service_prices.csv").splitlines()
    return map(_price, csv.DictReader(lines))


def _price(row: dict[str, str]) -> Price:
    quoted, per = Decimal(row["amount"]), int(row["per"])
    bounds = (
        f", {row['min_quantity'] or 0} to {row['max_quantity'] or 'any'} {row['unit']} of the month"
        if row["max_quantity"]
        else ""
    )
    return Price(
        version=VERSION,
        category=row["category"],
        provider=row["provider"],
        model=row["model"],
        item=row["item"],
        unit=row["unit"],
        amount=prices.each(quoted, per),
        quoted=quoted,
        per=per,
        min_quantity=int(row["min_quantity"] or 0),
        max_quantity=int(row["max_quantity"] or NO_LIMIT),
        region=row["region"],
        conditions=f"list price{bounds}{': ' if row['words'] else ''}{row['words']}",
        price_id="/".join((row["provider"], row["model"], row["item"]))
        + (f" from {row['min_quantity']}" if row["min_quantity"] else ""),
        precedence="list",
        source=SOURCE,
        source_url=row["source_url"],
        retrieved_at=datetime.fromisoformat(row["as_of"]).replace(tzinfo=UTC),
    )
