"""What is broken in a file of a bill that no rows can be read from: found line by line, and only once something is."""

import csv
import gzip
import itertools
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from tollbook_attribution.bills.problems import BillError, of_file
from tollbook_attribution.placed_json import broken

if TYPE_CHECKING:
    from tollbook_attribution.bills.files import BillFile

LONGEST_CELL = 1 << 30
"""128 KiB by default, and a line's tags may be longer."""
AT_ONCE = 1 << 20
OPEN_QUOTE = "opens a quote that nothing closes"
ENGINE = re.compile(r"^\d+\. DB::Exception: |: While (executing|reading)|[:;]? ?\(in file/uri|\(version |: \(at row")
"""Words of ClickHouse around what it has to say of a file: nobody knows its numbers, its versions and our folders."""


@contextmanager
def text(path: Path, compression: str) -> Iterator[TextIO]:
    """A file as text, unzipped; for as long as the block, cells of CSV may be long."""
    opening = gzip.open if compression == "gzip" else open
    with opening(path, "rt", encoding="utf-8-sig", newline="") as opened, long_cells():
        yield opened


@contextmanager
def long_cells() -> Iterator[None]:
    """For as long as the block, cells of CSV may be long: Python knows one limit for the whole process."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def checked_whole(name: str, path: Path, compression: str, delimiter: str) -> None:
    """Reads a CSV file to its end, as a quote that nothing closes makes one cell of all lines after it.

    Raises:
        BillError: it is cut off, or such a quote stands in it.
    """
    quotes = 0
    try:
        with gzip.open(path) if compression == "gzip" else path.open("rb") as content:
            while piece := content.read(AT_ONCE):
                quotes += piece.count(b'"')
    except EOFError as error:
        raise of_file(name, "is cut off: its gzip ends in the middle") from error
    except (OSError, zlib.error) as error:
        raise of_file(name, f"is damaged: {error}") from error
    if quotes % 2:
        _refuse_open_quote(name, path, compression, delimiter)


def of_rows(file: "BillFile", told: str) -> BillError:
    """The first row of a CSV file that has not as many cells as the header, or what the engine told of it."""
    columns = len(file.header)
    try:
        with text(file.path, file.compression) as lines:
            before = sum(1 for _ in itertools.islice(lines, file.above))
            reader = csv.reader(lines, delimiter=file.delimiter)
            begins = 1
            for record in reader:
                if len(record) != columns:
                    wrong = f"has {len(record)} cells, and the header {columns}" if record else "is empty"
                    return of_file(file.name, wrong, line=before + begins)
                begins = reader.line_num + 1
    except (csv.Error, UnicodeError) as error:
        return of_file(file.name, f"is not a row of {columns} columns: {error}")
    return of_file(file.name, f"is not a row of {columns} columns, or is damaged: {reason(told)}")


def of_json(name: str, path: Path, compression: str, told: str) -> BillError:
    """Where a file of JSON is broken, or what the engine told of it."""
    try:
        with text(path, compression) as lines:
            line, wrong = _broken_json(lines)
    except EOFError:
        return of_file(name, "is cut off: its gzip ends in the middle")
    except (OSError, UnicodeError, zlib.error) as error:
        return of_file(name, f"is damaged: {error}")
    return of_file(name, f"is no JSON: {wrong}" if wrong else f"cannot be read as JSON: {reason(told)}", line=line)


def reason(told: str) -> str:
    """What the engine said, without what is ours."""
    return next(filter(None, (part for part in ENGINE.split(told) if part)), told)[:300]


def _refuse_open_quote(name: str, path: Path, compression: str, delimiter: str) -> None:
    with text(path, compression) as lines:
        found = broken_row(lines, delimiter)
    if found and found[1] == OPEN_QUOTE:
        raise of_file(name, OPEN_QUOTE, line=found[0])


def broken_row(lines: Iterator[str], delimiter: str) -> tuple[int, str] | None:
    """The line that the first row begins on which a strict reader of CSV cannot read, and why it cannot."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    begins = 1
    try:
        for _ in reader:
            begins = reader.line_num + 1
    except csv.Error as error:
        is_open = next(lines, None) is None and "end of data" in str(error)
        return begins, OPEN_QUOTE if is_open else f"is no CSV: {error}"
    return None


def _broken_json(lines: Iterator[str]) -> tuple[int | None, str]:
    first = next(lines, "")
    if broken(first):
        wrong = broken(first + "".join(lines))
        return (wrong.line, str(wrong)) if wrong else (None, "")
    for number, line in enumerate(lines, start=2):
        if wrong := broken(line):
            return number, str(wrong)
    return None, ""
