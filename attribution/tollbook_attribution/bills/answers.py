"""Answers of APIs that hold the rows of a bill: `{"data": [...]}`, or columns and rows, as Azure's query API tells them."""

import json
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tollbook_attribution.bills import damage
from tollbook_attribution.bills.problems import of_file

HOLDERS = ("data", "value", "items", "rows", "results", "records", "properties", "lineitems")
"""What APIs call the list of rows, or what holds it."""

SCOPES = (("SubscriptionId", "subscriptions"), ("BillingAccountId", "billingAccounts"))
"""Columns, and what stands before their value in the id of an answer of Azure."""


@dataclass(frozen=True)
class Answer:
    """The rows of an answer, and what it tells of all of them."""

    rows: list[Mapping[str, Any]]
    told: tuple[tuple[str, str], ...]


def read(name: str, path: Path, compression: str) -> Answer | None:
    """The rows within a file of JSON; None where it holds none. Numbers are kept as they are written.

    Raises:
        BillError: a row has not as many cells as there are columns.
    """
    try:
        with damage.text(path, compression) as lines:
            said = json.load(lines, parse_float=str, parse_int=str)
    except (ValueError, OSError, EOFError, zlib.error):  # JSON lines, or broken: whoever reads it says so
        return None
    pages = [page for page in (said if isinstance(said, list) else [said]) if isinstance(page, dict)]
    rows = [row for page in pages for row in _rows(name, page)]
    return Answer(rows, tuple(_scope(pages[0]).items())) if rows else None


def _rows(name: str, said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    columns, rows = said.get("columns"), said.get("rows")
    if isinstance(columns, list) and isinstance(rows, list):
        yield from _named(name, [str(column["name"] if isinstance(column, dict) else column) for column in columns], rows)
        return
    for key, held in said.items():
        if key.casefold() in HOLDERS and isinstance(held, dict):
            yield from _rows(name, held)
        elif key.casefold() in HOLDERS and isinstance(held, list):
            yield from (_flat(row) for row in held if isinstance(row, dict))


def _flat(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row with what stands in objects of its own, as usage details of Azure's REST APIs have it."""
    told = row.get("properties")
    if not isinstance(told, dict):
        return row
    details = [held for key, held in told.items() if key.endswith("Details") and isinstance(held, dict)]
    return {name: value for part in (row, *details, told) for name, value in part.items()}


def _named(name: str, columns: list[str], rows: list[list[Any]]) -> Iterator[Mapping[str, Any]]:
    for place, row in enumerate(rows, start=1):
        if len(row) != len(columns):
            raise of_file(name, f"has {len(row)} cells, and the answer {len(columns)} columns", line=place)
        yield dict(zip(columns, row, strict=True))


def _scope(said: Mapping[str, Any]) -> dict[str, str]:
    """What the id of Azure's answer says it was asked of."""
    found = {column: re.search(rf"\b{word}/([^/]+)", str(said.get("id", "")), re.IGNORECASE) for column, word in SCOPES}
    return {column: match[1] for column, match in found.items() if match}
