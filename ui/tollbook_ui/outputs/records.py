"""Files of stored records, as a database or the listing of a bucket is exported: CSV, JSON or Parquet, an id a row."""

import contextlib
import csv
import gzip
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tollbook_ui.outputs.figures import Record, Records
from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage.files import Steps, UsageFile, described, opened, plain

_SAYS_ID = re.compile(r"(^|.*[^A-Za-z]|.*[a-z](?=I))[Ii][Dd]")


def records(path: Path, by: str, column: str | None = None, *, header: bool = True) -> Records:
    """The records of a file.

    Args:
        path: of the file.
        by: what outputs are told by; decides between columns where none is named.
        column: that holds the ids.
        header: whether the first line of CSV names the columns.

    Raises:
        BadQuestionError: it is empty, cannot be read, has no such column, or a cell holds no id.
        OSError: it cannot be read.
    """
    with described(path, header=header) as file:
        chosen = file.named(column) if column else _column(file, by)
        try:
            found = [Record(line, _id(cell, file, line, chosen)) for line, cell in _cells(file, chosen)]
        except (UnicodeDecodeError, gzip.BadGzipFile, EOFError, csv.Error) as error:
            raise BadQuestionError(f"{file.name} cannot be read: {error}") from error
    if not found:
        raise BadQuestionError(f"{file.name} holds no record")
    rows = tuple(record for record in found if record.id)
    return Records(file.name, chosen, rows, len(found) - len(rows))


def _column(file: UsageFile, by: str) -> str:
    if not file.columns:
        raise BadQuestionError(f"{file.name} holds no record with names of its values")
    if len(file.columns) == 1:
        return file.columns[0]
    named = [column for column in file.columns if plain(column) in (by, f"{by}id")]
    found = named or [column for column in file.columns if _SAYS_ID.fullmatch(column)]
    if len(found) != 1:
        raise BadQuestionError(f"say which column of {file.name} holds the ids, with --column; it has {file.shown()}")
    return found[0]


def _cells(file: UsageFile, column: str) -> Iterator[tuple[int, Any]]:
    """The cells of a column with their lines."""
    place, steps = file.cell(column)
    if file.format == "parquet":
        yield from _parquet(file, column)
    elif file.format == "csv":
        yield from ((line, _within(cell, steps)) for line, cell in _csv(file, place - 1))
    else:
        yield from ((line, _within(row, steps)) for line, row in _json(file))


def _csv(file: UsageFile, place: int) -> Iterator[tuple[int, str]]:
    with opened(file.path, file.gzip) as text:
        before = sum(1 for _ in itertools.islice(text, file.skipped))
        reader = csv.reader(text, delimiter=file.delimiter)
        line = before + 1
        for cells in reader:
            if cells and len(cells) <= place:
                raise BadQuestionError(f"{file.name}, line {line}: has fewer cells than the header")
            if cells:
                yield line, cells[place]
            line = before + reader.line_num + 1


def _json(file: UsageFile) -> Iterator[tuple[int, Any]]:
    with opened(file.path, file.gzip) as text:
        try:
            if file.array:
                yield from enumerate(json.load(text), 1)
                return
        except (ValueError, RecursionError) as error:
            raise BadQuestionError(f"{file.name} is no JSON: {error}") from error
        for number, line in enumerate(text, 1):
            if not line.strip():
                continue
            try:
                yield file.line(number), json.loads(line)
            except (ValueError, RecursionError) as error:
                raise BadQuestionError(f"{file.name}, line {file.line(number)}: is no JSON: {error}") from error


def _parquet(file: UsageFile, column: str) -> Iterator[tuple[int, Any]]:
    from pyarrow import parquet  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, and rarely wanted

    batches = parquet.ParquetFile(file.path).iter_batches(columns=[column])
    yield from enumerate(itertools.chain.from_iterable(batch.column(0).to_pylist() for batch in batches), 1)


def _within(value: Any, steps: Steps) -> Any:
    """What lies in a value at those steps; None where there is nothing."""
    for step in steps:
        if isinstance(value, str):
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(value)
        if isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _id(cell: Any, file: UsageFile, line: int, column: str) -> str:
    if isinstance(cell, dict | list | bool):
        raise BadQuestionError(f"{file.name}, line {line}, column {column}: {json.dumps(cell)[:60]} is no id")
    if isinstance(cell, bytes):
        return cell.hex()
    return "" if cell is None else str(cell).strip()
