"""What a file of usage is: its format, its columns, and where a row of it stands. Only its beginning is read here."""

import contextlib
import csv
import gzip
import io
import itertools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

from tollbook_ui.periods import BadQuestionError

Format = Literal["csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "json", "parquet")

DELIMITERS = ",;\t|"
JSON_LINES_LOOKED_AT = 1000
"""Records whose keys are the columns of a file of JSON lines."""

_NUMBER = re.compile(r"[-+0-9.,eE]*")
_BETWEEN = re.compile(r"[\s,]*")

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"

ARROW_TYPES: Mapping[str, str] = {
    "string": "String",
    "large_string": "String",
    "bool": "Bool",
    "float": "Float32",
    "double": "Float64",
    "date32[day]": "Date32",
    **{f"{sign}int{bits}": f"{'U' if sign else ''}Int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)},
}
"""ClickHouse's type of a column of a Parquet file."""


@dataclass(frozen=True)
class UsageFile:
    """A file as it lies there."""

    path: Path
    name: str
    """As people know it."""
    format: Format
    gzip: bool
    delimiter: str
    header: bool
    """Whether its first line names the columns."""
    columns: tuple[str, ...]
    """Names; places from 1 on where the file has none; dotted paths in JSON."""
    types: tuple[str, ...] = ()
    """ClickHouse's types of the columns of a Parquet file."""
    zoned: tuple[str, ...] = ()
    """Columns of a Parquet file whose times have a zone."""
    array: bool = False
    """Whether a JSON file is one array, whose elements are the rows."""

    def places(self, columns: Sequence[str]) -> list[int]:
        """Where these columns stand, from 1 on. Raises BadQuestionError where the file has none of that name."""
        for column in columns:
            if column not in self.columns:
                raise BadQuestionError(f"{self.name} has no column {column!r}; it has {', '.join(self.columns)}")
            if self.columns.count(column) > 1:
                raise BadQuestionError(f"{self.name} has {self.columns.count(column)} columns named {column!r}")
        return [self.columns.index(column) + 1 for column in columns]

    def line(self, row: int) -> int:
        """The line that a row of the data begins on, both from 1 on; the row itself in a Parquet file."""
        if self.format != "csv":
            return row
        with opened(self.path, self.gzip) as text:
            reader = csv.reader(text, delimiter=self.delimiter)
            before = 0
            for _ in itertools.islice(reader, row - 1 + self.header):
                before = reader.line_num
        return before + 1


def described(path: Path, name: str = "", form: Format | None = None, *, header: bool = True) -> UsageFile:
    """What a file is, by its first bytes unless `form` says so.

    Raises:
        BadQuestionError: it is empty, not of that format, or not text in UTF-8.
        OSError: it cannot be read.
    """
    name = name or str(path)
    with path.open("rb") as raw:
        start = raw.read(4)
    zipped = start[:2] == GZIP
    if start == PARQUET:
        return _parquet(path, name)
    if form == "parquet":
        raise BadQuestionError(f"{name} is no Parquet file")
    try:
        with opened(path, zipped) as text:
            beginning = text.read(1 << 20)
        if not beginning.strip():
            raise BadQuestionError(f"{name} is empty")
        found = form or ("json" if beginning.lstrip()[:1] in "{[" else "csv")
        return _json(path, name, zipped, beginning) if found == "json" else _csv(path, name, zipped, beginning, header=header)
    except (UnicodeDecodeError, gzip.BadGzipFile, EOFError) as error:
        raise BadQuestionError(f"{name} is no text in UTF-8: {error}") from error


@contextlib.contextmanager
def opened(path: Path, zipped: bool) -> Iterator[TextIO]:
    """The text of a file, unzipped."""
    with gzip.open(path) if zipped else path.open("rb") as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as text:
        yield text


def _csv(path: Path, name: str, zipped: bool, beginning: str, *, header: bool) -> UsageFile:
    cells = {delimiter: next(csv.reader(io.StringIO(beginning), delimiter=delimiter)) for delimiter in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda sign: len(cells[sign]))
    names = [cell.strip() for cell in cells[delimiter]]
    columns = tuple(names if header else map(str, range(1, len(names) + 1)))
    if header and sum(_NUMBER.fullmatch(column) is not None for column in columns) * 2 > len(columns):
        raise BadQuestionError(f"{name} begins with numbers, not with the names of its columns: give --no-header")
    return UsageFile(path, name, "csv", zipped, delimiter, header, columns)


def _json(path: Path, name: str, zipped: bool, beginning: str) -> UsageFile:
    array = beginning.lstrip()[:1] == "["
    columns: dict[str, None] = {}
    for record in itertools.islice(_elements(beginning) if array else _lines(beginning), JSON_LINES_LOOKED_AT):
        if isinstance(record, dict):
            columns.update(dict.fromkeys(_paths(record)))
    return UsageFile(path, name, "json", zipped, "", False, tuple(columns), array=array)


def _lines(beginning: str) -> Iterator[Any]:
    for line in beginning.splitlines():
        with contextlib.suppress(ValueError):  # named with its line when all rows are checked
            yield json.loads(line)


def _elements(beginning: str) -> Iterator[Any]:
    """The elements of an array as far as its beginning has them whole."""
    decoder, at = json.JSONDecoder(), beginning.index("[") + 1
    while found := _BETWEEN.match(beginning, at):
        try:
            record, at = decoder.raw_decode(beginning, found.end())
        except ValueError:
            return  # cut off here, or named when all rows are checked
        yield record


def _paths(record: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{above}{key}.")
        else:
            yield f"{above}{key}"


def _parquet(path: Path, name: str) -> UsageFile:
    try:
        from pyarrow import lib, parquet  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, and rarely wanted
    except ImportError as error:
        raise BadQuestionError(
            f"{name} is a Parquet file: install tollbook[dashboard], which brings pyarrow, to read it"
        ) from error
    try:
        schema = parquet.read_schema(path)
    except (lib.ArrowInvalid, OSError) as error:
        raise BadQuestionError(f"{name} is no whole Parquet file: {error}") from error
    types = tuple(_clickhouse_type(str(column.type)) for column in schema)
    zoned = tuple(column.name for column in schema if "tz=" in str(column.type))
    return UsageFile(path, name, "parquet", False, "", False, tuple(schema.names), types, zoned)


def _clickhouse_type(arrow: str) -> str:
    if arrow.startswith("timestamp["):
        return "Nullable(DateTime64(9, 'UTC'))"
    if arrow.startswith("decimal"):
        return f"Nullable(Decimal(38, {arrow.rstrip(')').rpartition(',')[2].strip()}))"
    if arrow.startswith("list<"):
        return f"Array({_clickhouse_type(arrow.removesuffix('>').partition(': ')[2].removesuffix(' not null'))})"
    if arrow.startswith("dictionary<"):
        return "Nullable(String)"
    return f"Nullable({ARROW_TYPES[arrow]})" if arrow in ARROW_TYPES else ""
