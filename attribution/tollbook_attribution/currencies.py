"""Exchange rates: dated, never overwritten. A currency without a rate for a day has no value on it, never a dollar's."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from tollbook_schema import sql
from tollbook_schema.store import Store

from tollbook_attribution import file_text, price_fields
from tollbook_attribution.file_text import NotTextError
from tollbook_attribution.price_fields import BadValueError
from tollbook_attribution.price_files import BadFileError, Problem

HELD_DAYS = 7
"""Days that a rate holds beyond its own, if not said otherwise: over a long weekend."""

MOST_DAYS = 3_660
"""Days that a rate may be said to hold."""

NEEDED = ("currency", "day", "usd_per_unit")
COLUMNS = (*NEEDED, "last_day")

Row = dict[str, Any]
Value = TypeVar("Value")


class BadCellError(BadValueError):
    """A value that its column cannot have, and which column that is."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass
class _Reading:
    """A file as far as it has been read."""

    file: str
    rows: list[Row] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    lines: dict[tuple[str, date], int] = field(default_factory=dict)

    def wrong(self, line: int, column: str, message: str) -> None:
        """Notes what is wrong."""
        self.problems.append(Problem(self.file, line, column, message))


def set_exchange_rate(
    store: Store, currency: str, usd_per_unit: str, day: date, *, now: datetime, last_day: date | None = None, source: str = "set"
) -> None:
    """Sets what a unit of a currency is worth in USD on a day, and until its last day.

    Raises:
        BadValueError: a currency, a rate or days that cannot be.
    """
    _insert(store, [{**_rate(currency, usd_per_unit, day, last_day), "source": source, "set_at": now}])


def load_exchange_rates(store: Store, file: str, content: bytes, now: datetime) -> int:
    """Loads a CSV of `currency,day,usd_per_unit` and perhaps `last_day`; the same file again changes nothing. Returns rows added.

    Raises:
        BadFileError: there is an error in it, and nothing of it was loaded.
    """
    reading = _read(file, content)
    if reading.problems:
        raise BadFileError(reading.problems)
    said = {
        _period(row): row["usd_per_unit"] for row in store.query(sql.text("tollbook_attribution", "queries/exchange_rates.sql"))
    }
    new = [row for row in reading.rows if said.get(_period(row)) != row["usd_per_unit"]]
    _insert(store, [{**row, "source": f"file {file}", "set_at": now} for row in new])
    return len(new)


def _period(row: Row) -> tuple[Any, ...]:
    return row["currency"], row["day"], row["last_day"]


def _rate(currency: str, usd_per_unit: str, day: date, last_day: date | None) -> Row:
    code = _in("currency", price_fields.currency, currency)
    rate = _in("usd_per_unit", price_fields.amount, usd_per_unit)
    if code == "USD":
        raise BadCellError("currency", "a dollar is a dollar")
    if not Decimal("1e-9") <= rate <= 10_000:
        raise BadCellError("usd_per_unit", f"{rate} USD for one {code} cannot be")
    last = last_day or day + timedelta(days=HELD_DAYS)
    if not 0 <= (last - day).days <= MOST_DAYS:
        raise BadCellError("last_day", f"the rate of {day} cannot hold until {last}")
    return {"currency": code, "day": day, "last_day": last, "usd_per_unit": rate}


def _in(column: str, parse: Callable[[str], Value], text: str) -> Value:
    """What a cell says. Raises BadCellError, which names its column."""
    try:
        return parse(text.strip())
    except BadValueError as error:
        raise BadCellError(column, str(error)) from error


def _read(file: str, content: bytes) -> _Reading:
    reading = _Reading(file)
    try:
        text = file_text.of(content)
    except NotTextError as error:
        reading.wrong(error.line, "", str(error))
        return reading
    if not text.strip():
        reading.wrong(0, "", "the file is empty")
        return reading
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    rows = csv.DictReader(io.StringIO(text), delimiter=delimiter, strict=True)
    names: list[str] = []
    begins = 1
    try:
        names = [name.strip().lower() for name in rows.fieldnames or ()]
        for name in sorted(set(NEEDED) - set(names)):
            reading.wrong(1, name, "the column is missing")
        for name in (name for name in names if name not in COLUMNS):
            reading.wrong(1, name, f"no such column; there are {', '.join(COLUMNS)}")
        rows.fieldnames = names
        begins = rows.line_num + 1
        for row in rows if not reading.problems else ():
            if any(row.values()):
                _take(reading, rows.line_num, row)
            begins = rows.line_num + 1
    except csv.Error as error:
        place = file_text.broken_cell(text.splitlines()[begins - 1], delimiter)
        reading.wrong(begins, names[place] if place < len(names) else "", f"not CSV: {error}")
    return reading


def _take(reading: _Reading, line: int, row: Mapping[str, Any]) -> None:
    if None in row:
        return reading.wrong(line, str(list(row)[-2]), "more values than columns follow it")
    if absent := [name for name, value in row.items() if value is None]:
        return reading.wrong(line, absent[0], "the line ends before it")
    last = row.get("last_day", "").strip()
    try:
        last_day = _in("last_day", price_fields.day, last) if last else None
        rate = _rate(row["currency"], row["usd_per_unit"], _in("day", price_fields.day, row["day"]), last_day)
    except BadCellError as error:
        return reading.wrong(line, error.column, str(error))
    first = reading.lines.setdefault((rate["currency"], rate["day"]), line)
    if first != line:
        reading.wrong(line, "day", f"line {first} has a rate of {rate['currency']} for that day already")
    reading.rows.append(rate)
    return None


def _insert(store: Store, rows: list[Row]) -> None:
    if rows:
        store.insert("exchange_rates", [tuple(row.values()) for row in rows], tuple(rows[0]))
