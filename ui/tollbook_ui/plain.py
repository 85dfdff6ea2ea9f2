"""Answers as plain values: JSON, CSV and text. Pure. Money keeps every digit and is never a float."""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_type_hints

from tollbook_ui.figures import OWNER_KEYS, Owners

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First characters that make a spreadsheet run a cell as a formula, full-width ones too (OWASP, CSV injection)."""

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""Control characters but for line feed and tab, and those that turn the direction of writing."""


@dataclass(frozen=True)
class Grid:
    """Rows of plain values under their column names."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


def number(value: Decimal) -> str:
    """All digits of a Decimal, without an exponent and without zeros at the end: `0.00012`, `0`."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


def moment(value: datetime) -> str:
    """An ISO 8601 time in UTC, such as `2026-11-22T07:00:00Z`, with microseconds where there are any."""
    utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return utc.isoformat().replace("+00:00", "Z")


def value(thing: Any) -> Any:
    """`thing` in values that JSON has: Decimals and times as text, dataclasses as objects, bytes as hex."""
    if is_dataclass(thing) and not isinstance(thing, type):
        return {field.name: value(getattr(thing, field.name)) for field in fields(thing)}
    if isinstance(thing, Mapping):
        return {str(_scalar(key)): value(item) for key, item in thing.items()}
    if isinstance(thing, list | tuple | set | frozenset):
        return [value(item) for item in thing]
    return _scalar(thing)


def as_json(thing: Any) -> str:
    """`thing` as indented JSON."""
    return visible(json.dumps(value(thing), indent=2, ensure_ascii=False, allow_nan=False))


def visible(text: str) -> str:
    """`text` without what a terminal obeys instead of showing it, which is written out as JSON does: a backslash and a number."""
    return _UNSEEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def grid(rows: Sequence[Any], columns: Sequence[str]) -> Grid:
    """Those columns of dataclass rows as a grid."""
    return Grid(tuple(columns), tuple(tuple(getattr(row, name) for name in columns) for row in rows))


def answer_grid(answer: Any) -> Grid:
    """The rows of an answer as a grid, with its columns even where there is no row, and without owner keys nobody asked for.

    An answer that has a `grid` of its own knows better.
    """
    if (own := getattr(answer, "grid", None)) is not None:
        found: Grid = own()
        return found
    row_type = get_args(get_type_hints(type(answer))["rows"])[0]
    names = [field.name for field in fields(row_type)]
    if isinstance(answer, Owners):
        names = [name for name in names if name in answer.by or name not in OWNER_KEYS]
    return grid(answer.rows, names)


def as_csv(table: Grid) -> str:
    """The grid as CSV with a header line (RFC 4180); an unknown value is an empty cell. Text cannot act as a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in table.columns])
    writer.writerows(_cells(table.rows))
    return out.getvalue()


def _cells(rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    for row in rows:
        yield [_cell(item) for item in row]


def _cell(thing: Any) -> Any:
    plain = value(thing)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    if isinstance(plain, dict | list):
        return json.dumps(plain, ensure_ascii=False)
    if isinstance(thing, str) and thing.startswith(FORMULA_STARTS):
        return "'" + thing
    return "" if plain is None else plain


def _scalar(thing: Any) -> Any:
    if thing is None or (isinstance(thing, bool | int | str) and not isinstance(thing, Enum)):
        return thing
    if isinstance(thing, float):
        return thing if math.isfinite(thing) else None
    for kind, shown in _SHOWN.items():
        if isinstance(thing, kind):
            return shown(thing)
    return str(thing)


_SHOWN: dict[type, Callable[[Any], Any]] = {
    Decimal: number,
    datetime: moment,
    date: date.isoformat,
    bytes: bytes.hex,
    Enum: lambda member: member.value,
}
