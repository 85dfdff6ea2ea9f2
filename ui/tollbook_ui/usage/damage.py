"""What is broken in a file of usage that no rows can be read from: found in its text, and only once something is."""

import codecs
import csv
import gzip
import itertools
import zlib
from pathlib import Path
from typing import IO, cast

from tollbook_attribution.bills.damage import broken_row, long_cells, reason
from tollbook_attribution.placed_json import NotJsonError, broken, values

from tollbook_ui.periods import BadQuestionError

FAULTS = (UnicodeDecodeError, EOFError, zlib.error, gzip.BadGzipFile, csv.Error)
"""What reading a text that is broken raises."""

MOST_JSON_BYTES = 256 * 1024**2
"""Of an array that is searched for its fault."""


def error_of(name: str, path: Path, zipped: bool, fault: Exception) -> BadQuestionError:
    """Which line or byte a fault of a text is at."""
    if isinstance(fault, UnicodeDecodeError):
        return _not_utf_8(name, path, zipped)
    if isinstance(fault, EOFError):
        return BadQuestionError(f"{name} is cut off: its gzip ends in the middle.")
    if isinstance(fault, csv.Error):
        return BadQuestionError(f"{name} is no CSV: {fault}; lines end with a line feed, not with a carriage return alone.")
    return BadQuestionError(f"{name} is damaged: {fault}.")


def in_rows(name: str, path: Path, zipped: bool, form: tuple[str, int], told: str) -> tuple[int, str]:
    """The line of a CSV file that is broken (0 where it is the whole file), and how; else what the engine told of it.

    `form` are its delimiter and how many lines stand before its rows.
    """
    try:
        found = _broken_row(path, zipped, *form)
    except FAULTS as fault:
        raise error_of(name, path, zipped, fault) from fault
    return found or (0, f"cannot be read: {reason(told)}")


def in_json(name: str, path: Path, zipped: bool, told: str) -> tuple[int, str]:
    """The line of an array of JSON that is broken, and how; else what the engine told of it."""
    try:
        with _bytes(path, zipped) as content:
            text = content.read(MOST_JSON_BYTES).decode()
    except FAULTS as fault:
        raise error_of(name, path, zipped, fault) from fault
    wrong = broken(text)
    if wrong:
        return wrong.line, f"is no JSON: {wrong}, at character {wrong.column}"
    others = list(itertools.islice(values(text), 2))
    if len(others) > 1:
        return others[1].line, "is more JSON after the end of the array: write rows as lines, or all of them in one array"
    return 0, f"cannot be read: {reason(told)}"


def of_object(text: str) -> str:
    """What is wrong with a line that should be a JSON object."""
    try:
        found = next(values(text), None)
    except NotJsonError as error:
        return f"is no JSON object: {error}, at character {error.column}"
    return f"is no JSON object, but {type(found.value).__name__ if found else 'nothing'}"


def _broken_row(path: Path, zipped: bool, delimiter: str, skipped: int) -> tuple[int, str] | None:
    """The line of the first row that a strict reader of CSV cannot read, and why it cannot."""
    with _bytes(path, zipped) as content, codecs.getreader("utf-8-sig")(content) as lines, long_cells():
        before = sum(1 for _ in itertools.islice(lines, skipped))
        found = broken_row(lines, delimiter)
    return (before + found[0], found[1]) if found else None


def _not_utf_8(name: str, path: Path, zipped: bool) -> BadQuestionError:
    with _bytes(path, zipped) as content:
        if b"\0" in content.read(1024):
            return BadQuestionError(f"{name} is a binary file, neither CSV nor JSON nor Parquet.")
        content.seek(0)
        for number, line in enumerate(content, start=1):
            try:
                line.decode()
            except UnicodeDecodeError as error:
                return BadQuestionError(
                    f"{name}, line {number}: is no text in UTF-8: byte 0x{line[error.start]:02x} at place {error.start + 1}; "
                    "save the file as UTF-8."
                )
    return BadQuestionError(f"{name} is no text in UTF-8.")


def _bytes(path: Path, zipped: bool) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path)) if zipped else path.open("rb")
