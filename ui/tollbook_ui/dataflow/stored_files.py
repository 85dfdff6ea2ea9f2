"""Files that declare stored assets: CSV with a header, a row for each copy and size of an asset."""

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from tollbook_ui.dataflow.figures import StoredAsset
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage.figures import FOR_GOOD

NEEDED = ("asset", "location", "bytes", "from")
OWNERS = ("service", "workflow", "team", "project", "feature", "customer", "environment")
KNOWN = (*NEEDED, "provider", "class", "region", "until", *OWNERS)


def assets(path: Path, name: str) -> list[StoredAsset]:
    """The assets that a file declares.

    Raises:
        BadQuestionError: with line and column, a cell that cannot be read, a column that is missing, copies that overlap in time;
            the message says that the file will be refused again.
        OSError: it cannot be read.
    """
    try:
        return _assets(path, name)
    except BadQuestionError as error:
        raise BadQuestionError(f"{error}\n{FOR_GOOD}") from error


def _assets(path: Path, name: str) -> list[StoredAsset]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as text:
            found = _rows(csv.DictReader(text), name)
    except UnicodeDecodeError as error:
        raise BadQuestionError(f"{name} is no text in UTF-8: {error}") from error
    _check_overlaps(found, name)
    return [asset for _, asset in found]


def overlap(first: StoredAsset, second: StoredAsset) -> bool:
    """Whether two rows would count one copy twice."""
    one_copy = (first.asset_id, first.location) == (second.asset_id, second.location) and first.held_from != second.held_from
    return one_copy and all(a.held_until is None or b.held_from < a.held_until for a, b in ((first, second), (second, first)))


def _rows(reader: "csv.DictReader[str]", name: str) -> list[tuple[int, StoredAsset]]:
    """The lines of a file with the assets that they declare."""
    try:
        _check_header(tuple(reader.fieldnames or ()), name)
        return [(reader.line_num, _asset(row, f"{name}, line {reader.line_num}")) for row in reader]
    except csv.Error as error:  # a cell of more than 128 KiB, such as one whose quotation mark never ends
        raise BadQuestionError(f"{name}, line {reader.line_num + 1}: {error}") from error


def _check_header(header: tuple[str, ...], name: str) -> None:
    if missing := [column for column in NEEDED if column not in header]:
        raise BadQuestionError(
            f"{name} has no column {missing[0]!r}; it needs {', '.join(NEEDED)} and may have {', '.join(KNOWN[4:])}"
        )
    if unknown := [column for column in header if column not in KNOWN]:
        raise BadQuestionError(f"{name}, line 1: no column is called {unknown[0]!r}; there are {', '.join(KNOWN)}")


def _asset(row: Mapping[str | None, str | None], place: str) -> StoredAsset:
    if None in row or None in row.values():
        raise BadQuestionError(f"{place}: has {'more' if None in row else 'fewer'} cells than the header")
    cells = {str(key): str(value).strip() for key, value in row.items()}
    for column in ("asset", "location"):
        if not cells[column]:
            raise BadQuestionError(f"{place}, column {column}: is missing")
    held_from, until = _moment(cells["from"], place, "from"), cells.get("until", "")
    held_until = _moment(until, place, "until") if until else None
    if held_until is not None and held_until <= held_from:
        raise BadQuestionError(f"{place}, column until: {until!r} is not after {cells['from']!r}")
    owners = {key: cells.get(key, "") for key in ("workflow", "team", "project", "feature", "customer", "environment")}
    return StoredAsset(
        asset_id=cells["asset"],
        location=cells["location"],
        provider=cells.get("provider", "").lower(),
        storage_class=cells.get("class", ""),
        region=cells.get("region", ""),
        bytes=_bytes(cells["bytes"], place),
        held_from=held_from,
        held_until=held_until,
        service_name=cells.get("service", ""),
        **owners,
    )


def _bytes(text: str, place: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise BadQuestionError(f"{place}, column bytes: {text!r} is no whole number; digits alone are read")
    if len(text) > 18:
        raise BadQuestionError(f"{place}, column bytes: {text!r} is absurd")
    return int(text)


def _moment(text: str, place: str, column: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadQuestionError(f"{place}, column {column}: {text!r} is no time such as 2026-11-16T09:30:00Z") from error
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    if not 2000 <= moment.year < 2106:
        raise BadQuestionError(f"{place}, column {column}: {text!r} is not between 2000 and 2106")
    return moment


def _check_overlaps(found: list[tuple[int, StoredAsset]], name: str) -> None:
    ordered = sorted(found, key=lambda row: (row[1].asset_id, row[1].location, row[1].held_from))
    for (before, first), (line, second) in pairwise(ordered):
        if first != second and (overlap(first, second) or _same_start(first, second)):
            raise BadQuestionError(
                f"{name}, line {line}: {second.asset_id!r} in {second.location!r} is held twice at a time, "
                f"also by line {before}; give the earlier row an until"
            )


def _same_start(first: StoredAsset, second: StoredAsset) -> bool:
    return (first.asset_id, first.location, first.held_from) == (second.asset_id, second.location, second.held_from)
