"""What a file of usage is: its format, its columns, and where a row of it stands. Only its beginning is read here."""

import contextlib
import csv
import gzip
import io
import itertools
import json
import re
import tempfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, Literal, TextIO, cast

from tollbook_attribution.bills.damage import long_cells
from tollbook_attribution.placed_json import NotJsonError

from tollbook_ui.periods import BadQuestionError
from tollbook_ui.usage import damage, pages, unpacking
from tollbook_ui.usage.mapping import BETWEEN

Format = Literal["csv", "json", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "json", "parquet")

DELIMITERS = ",;\t|"
LOOKED_AT = 1000
"""Records whose keys are the columns of a file of JSON."""

MOST_SHOWN = 100
"""Columns that an error lists."""

MAX_DOCUMENT_BYTES = 256 * 1024**2
"""Of a JSON document that is taken apart here; lines and arrays of rows may be as long as they are."""

FIRST_CHARACTERS = 1 << 20
"""Of a file that tell what it is."""

ELEMENTS_LOOKED_AT = 3
"""Of a list in a record, those whose members are columns: `results.0.usage.input_tokens`; later ones by what these lack."""

ROWS_KEPT = 20
"""Rows that tell what columns without a known name may be."""

DEPTH = 12
"""How deep the columns of a record may lie."""

NUMBERED = re.compile(r"\.\d{1,4}(?=\.|$)")
"""The step to an element of a list."""

_NUMBER = re.compile(r"[-+0-9.,eE]*")
_BETWEEN = re.compile(r"[\s,]*")
_SEPARATOR = re.compile(r"\ufeff?sep=([,;\t|])\r?\n", re.IGNORECASE)
"""A spreadsheet's own first line."""

_BLANK_LINE = re.compile(rb"\n[ \t]*\r?\n\s*\S")
"""A blank line that something comes after."""

CHUNK_BYTES = 1 << 20

PARQUET = b"PAR1"
Steps = tuple[str, ...]

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

TEXTS = ("Nullable(String)", "Nullable(Bool)")


@dataclass(frozen=True)
class UsageFile:
    """A file as it lies there."""

    path: Path
    name: str
    """As people know it."""
    format: Format
    gzip: bool
    columns: tuple[str, ...]
    """Names; places from 1 on where the file has none; dotted paths of what lies in JSON."""
    paths: Mapping[str, Steps] = field(default_factory=dict)
    """The steps to what lies in JSON: within a record, or within a cell, whose column is the first step."""
    delimiter: str = ""
    skipped: int = 0
    """Lines before the first row of a CSV file."""
    types: tuple[str, ...] = ()
    """ClickHouse's types of the columns of a Parquet file."""
    zoned: tuple[str, ...] = ()
    """Columns of a Parquet file whose times have a zone."""
    array: bool = False
    """Whether a JSON file is one array, whose elements are the rows."""
    lines: Sequence[int] | None = None
    """Of the rows of a document that was taken apart."""
    first: Sequence[Mapping[str, str]] = ()
    """What the first rows say in each column, as text."""
    folder: Path = Path()
    """Where it may be written anew."""

    @property
    def empty(self) -> bool:
        """Whether it is a document without a row, which says nothing of columns either."""
        return self.lines is not None and not self.lines

    @property
    def words(self) -> tuple[str, ...]:
        """Columns of a Parquet file that hold text."""
        return tuple(column for column, kind in zip(self.columns, self.types, strict=False) if kind in TEXTS)

    @property
    def width(self) -> int:
        """Cells of a row of a CSV file."""
        return len(self.columns) - len(self.paths)

    def named(self, column: str) -> str:
        """The column of that name, or the only one of that name but for its case and signs. Raises BadQuestionError."""
        times = self.columns.count(column)
        if times > 1:
            raise BadQuestionError(f"{self.name} has {times} columns named {column!r}: which one is meant?")
        alike = [known for known in self.columns if plain(known) == plain(column)]
        if not times and not alike and self._in_list(column):
            return column
        if not times and len(alike) != 1:
            raise BadQuestionError(f"{self.name} has no column {column!r}; it has {self.shown()}")
        return column if times else alike[0]

    def named_or_between(self, column: str) -> str:
        """The same of columns of which a row has the one or the other."""
        if column in self.columns or BETWEEN not in column:
            return self.named(column)
        return BETWEEN.join(self.named(part.strip()) for part in column.split(BETWEEN))

    def whole(self, column: str) -> str:
        """The column of a Parquet file that a column is, or lies in."""
        return self.paths[column][0] if column in self.paths else column

    def _in_list(self, column: str) -> bool:
        """Whether it is a member of a later element of a list, where an earlier one has such a member."""
        return NUMBERED.sub(".0", column) != column and any(
            NUMBERED.sub(".0", known) == NUMBERED.sub(".0", column) for known in self.paths
        )

    def cell(self, column: str) -> tuple[int, Steps]:
        """Where a column stands, from 1 on, and the steps from there to what lies in JSON."""
        steps = self.paths.get(column, ()) or (tuple(column.split(".")) if column not in self.columns else ())
        if self.format == "json":
            return 1, steps
        return self.columns.index(steps[0] if steps else column) + 1, steps[1:]

    def shown(self) -> str:
        """Its columns, for people."""
        more = len(self.columns) - MOST_SHOWN
        return ", ".join(self.columns[:MOST_SHOWN]) + (f" and {more} more" if more > 0 else "")

    def line(self, row: int) -> int:
        """The line that a row of the data begins on, both from 1 on; the row itself in a Parquet file."""
        if self.lines is not None:
            return self.lines[row - 1]
        if self.format != "csv":
            return row
        with opened(self.path, self.gzip, "replace") as text:
            before = sum(1 for _ in itertools.islice(text, self.skipped))
            reader = csv.reader(text, delimiter=self.delimiter)
            last = 0
            for _ in itertools.islice(reader, row - 1):
                last = reader.line_num
        return before + last + 1


@contextlib.contextmanager
def described(path: Path, name: str = "", form: Format | None = None, *, header: bool = True) -> Iterator[UsageFile]:
    """What a file is, by its first bytes unless `form` says so, ready to be read for as long as the block.

    Raises:
        BadQuestionError: it is empty, not of that format, or not text.
        OSError: it cannot be read.
    """
    name = name or str(path)
    with tempfile.TemporaryDirectory(prefix="tollbook-usage-") as folder, long_cells():
        found = _described(unpacking.unpacked(path, name, Path(folder)), name, form, Path(folder), header=header)
        yield replace(found, folder=Path(folder))


def _described(path: Path, name: str, form: Format | None, folder: Path, *, header: bool) -> UsageFile:
    with path.open("rb") as raw:
        start = raw.read(4)
    if start == PARQUET:
        return _parquet(path, name, folder)
    if form == "parquet":
        raise BadQuestionError(f"{name} is no Parquet file.")
    zipped = unpacking.is_gzip(path)
    try:
        with opened(path, zipped) as text:
            beginning = _beginning(text)
        if not beginning.strip():
            raise BadQuestionError(f"{name} is empty.")
        found = form or ("json" if beginning.lstrip()[:1] in "{[" else "csv")
        if found == "csv":
            return _without_blank_lines(_csv(path, name, zipped, beginning, header=header), folder)
        if _is_document(beginning):
            return _taken_apart(path, name, zipped, folder)
        return _json(path, name, zipped, beginning)
    except damage.FAULTS as error:
        raise damage.error_of(name, path, zipped, error) from error


def _beginning(text: TextIO) -> str:
    """The first characters, with the first element of an array whole, where that is longer."""
    found = text.read(FIRST_CHARACTERS)
    while found.lstrip()[:1] == "[" and len(found) < MAX_DOCUMENT_BYTES and next(_elements(found), None) is None:
        more = text.read(len(found))
        if not more:
            break
        found += more
    return found


@contextlib.contextmanager
def opened(path: Path, zipped: bool, errors: str = "strict") -> Iterator[TextIO]:
    """The text of a file, unzipped."""
    with (
        gzip.open(path) if zipped else path.open("rb") as raw,
        io.TextIOWrapper(raw, encoding="utf-8-sig", newline="", errors=errors) as text,
    ):
        yield text


def _csv(path: Path, name: str, zipped: bool, beginning: str, *, header: bool) -> UsageFile:
    told = _SEPARATOR.match(beginning)
    rows = beginning[told.end() :] if told else beginning
    blank = rows[: len(rows) - len(rows.lstrip("\r\n"))]
    rows = rows.removeprefix(blank)
    cells = {sign: next(csv.reader(io.StringIO(rows), delimiter=sign), []) for sign in (told[1] if told else DELIMITERS)}
    delimiter = max(cells, key=lambda sign: len(cells[sign]))
    names = [cell.strip() for cell in cells[delimiter]]
    columns = tuple(names if header else map(str, range(1, len(names) + 1)))
    if header and sum(_NUMBER.fullmatch(column) is not None for column in columns) * 2 > len(columns):
        raise BadQuestionError(f"{name} begins with numbers, not with the names of its columns: give --no-header")
    records = _records(csv.reader(io.StringIO(rows), delimiter=delimiter), columns)
    within = _within_cells(records)
    first = tuple(records[int(header) : ROWS_KEPT])
    skipped = int(header) + (told is not None) + blank.count("\n")
    return UsageFile(path, name, "csv", zipped, (*columns, *within), within, delimiter, skipped, first=first)


def _without_blank_lines(file: UsageFile, folder: Path) -> UsageFile:
    """The same file with rows of empty cells, which are no calls, for blank lines among its rows: lines keep their numbers."""
    with _bytes(file) as content:
        if not _has_blank_lines(content):
            return file
    target, row = folder / "rows", file.delimiter.encode() * (file.width - 1) + b"\n"
    quoted = False
    with _bytes(file) as content, target.open("wb") as filled:
        for number, line in enumerate(content):
            blank = not quoted and number >= file.skipped and not line.strip()
            quoted ^= line.count(b'"') % 2 == 1
            filled.write(row if blank else line)
    return replace(file, path=target, gzip=False)


def _has_blank_lines(content: IO[bytes]) -> bool:
    before = b""
    while part := content.read(CHUNK_BYTES):
        text = before + part
        if _BLANK_LINE.search(text):
            return True
        before = text[len(text.rstrip()) :]
    return False


def _bytes(file: UsageFile) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(file.path)) if file.gzip else file.path.open("rb")


def _records(rows: Iterator[list[str]], columns: Sequence[str]) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    with contextlib.suppress(csv.Error):  # named with its line when all rows are checked
        found += (dict(zip(columns, cells, strict=False)) for cells in itertools.islice(rows, LOOKED_AT))
    return found


def _within_cells(records: Sequence[Mapping[str, str]]) -> dict[str, Steps]:
    """What lies in cells that hold JSON objects."""
    found: dict[str, Steps] = {}
    for record in records:
        for column, cell in record.items():
            if cell[:1] == "{":
                found.update({".".join(steps): steps for steps in _paths(_loaded(cell), (column,)) if len(steps) > 1})
    return {name: steps for name, steps in found.items() if not any(name in record for record in records[:1])}


def _is_document(beginning: str) -> bool:
    """Whether JSON is neither lines of records nor an array of them."""
    if beginning.lstrip()[:1] == "[":
        return pages.is_page(next(_elements(beginning), None))
    first = _loaded(beginning.lstrip().splitlines()[0])
    return first is None or pages.is_page(first)


def _taken_apart(path: Path, name: str, zipped: bool, folder: Path) -> UsageFile:
    """A document with a row a line."""
    with opened(path, zipped) as text:
        content = text.read(MAX_DOCUMENT_BYTES)
        if text.read(1):
            raise BadQuestionError(
                f"{name} is a JSON document of more than {MAX_DOCUMENT_BYTES:,} bytes; write its rows as lines: jq -c '.data[]'"
            )
    target, lines, columns = folder / "rows", array("Q"), dict[str, Steps]()
    first: list[Mapping[str, str]] = []
    try:
        with target.open("w", encoding="utf-8") as plain:
            for number, row in pages.rows(content):
                lines.append(number)
                plain.write(f"{json.dumps(row, default=str)}\n")
                if len(lines) <= LOOKED_AT:
                    columns.update({".".join(steps): steps for steps in _paths(row)})
                if len(lines) <= ROWS_KEPT:
                    first.append(_said(row))
    except NotJsonError as error:
        raise BadQuestionError(f"{name}, line {error.line}, column {error.column}: is no JSON: {error}.") from error
    return UsageFile(target, name, "json", False, tuple(columns), columns, lines=lines, first=first)


def _json(path: Path, name: str, zipped: bool, beginning: str) -> UsageFile:
    array = beginning.lstrip()[:1] == "["
    columns: dict[str, Steps] = {}
    first: list[Mapping[str, str]] = []
    for record in itertools.islice(_elements(beginning) if array else _lines(beginning), LOOKED_AT):
        for steps in _paths(record):
            columns.setdefault(".".join(steps), steps)
        if len(first) < ROWS_KEPT:
            first.append(_said(record))
    return UsageFile(path, name, "json", zipped, tuple(columns), columns, array=array, first=first)


def _said(record: Any) -> dict[str, str]:
    """What a record says at each of its paths but objects and lists."""
    found: dict[str, str] = {}
    for steps in _paths(record):
        value = record
        for step in steps:
            value = _loaded(value) if isinstance(value, str) else value
            value = value[int(step)] if isinstance(value, list) else value[step]
        if value is not None and not isinstance(value, dict | list):
            found[".".join(steps)] = json.dumps(value) if isinstance(value, bool) else str(value)
    return found


def _lines(beginning: str) -> Iterator[Any]:
    return (_loaded(line) for line in beginning.splitlines())


def _loaded(text: str) -> Any:
    """The value of a JSON text; None where it is none, which is named with its line when all rows are checked."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _elements(beginning: str) -> Iterator[Any]:
    """The elements of an array as far as its beginning has them whole."""
    decoder, at = json.JSONDecoder(), beginning.index("[") + 1
    while found := _BETWEEN.match(beginning, at):
        try:
            record, at = decoder.raw_decode(beginning, found.end())
        except (ValueError, RecursionError):
            return  # cut off here, or named when all rows are checked
        yield record


def _paths(value: Any, above: Steps = ()) -> Iterator[Steps]:
    """The steps to all that a record holds, and to objects and lists of them on the way, also where these are written as text."""
    inside = _loaded(value) if isinstance(value, str) and value[:1] in ("{", "[") else value
    if isinstance(inside, dict) and len(above) < DEPTH:
        if above:
            yield above
        for key, told in inside.items():
            yield from _paths(told, (*above, key))
    elif isinstance(inside, list) and len(above) < DEPTH and inside and isinstance(inside[0], dict):
        yield above
        seen: set[Steps] = set()
        for number, told in enumerate(inside[:LOOKED_AT]):
            found = tuple(_paths(told, (*above, str(number))))
            shape = {steps[len(above) + 1 :] for steps in found}
            if number < ELEMENTS_LOOKED_AT or not shape <= seen:
                yield from found
            seen |= shape
    elif above:
        yield above


def plain(name: str) -> str:
    """A column's name by its letters and digits."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _parquet(path: Path, name: str, folder: Path) -> UsageFile:
    try:
        from pyarrow import lib, parquet  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, and rarely wanted
    except ImportError as error:
        raise BadQuestionError(
            f"{name} is a Parquet file: install tollbook[dashboard], which brings pyarrow, to read it"
        ) from error
    try:
        schema = parquet.read_schema(path)
        if any(str(column.type).startswith("struct<") for column in schema):
            path = _flat(path, folder / "flat.parquet")
            schema = parquet.read_schema(path)
    except (lib.ArrowInvalid, OSError) as error:
        raise BadQuestionError(f"{name} is no whole Parquet file: {error}.") from error
    types = tuple(_clickhouse_type(str(column.type)) for column in schema)
    zoned = tuple(column.name for column in schema if "tz=" in str(column.type))
    first = _first_of_parquet(path)
    within = _within_cells(first)
    return UsageFile(path, name, "parquet", False, (*schema.names, *within), within, types=types, zoned=zoned, first=first)


def _first_of_parquet(path: Path) -> list[dict[str, str]]:
    """What the first rows say, as text."""
    from pyarrow import parquet  # noqa: PLC0415

    for batch in parquet.ParquetFile(path).iter_batches(batch_size=ROWS_KEPT):
        return [{name: str(cell) for name, cell in row.items() if cell is not None} for row in batch.to_pylist()]
    return []


def _flat(path: Path, target: Path) -> Path:
    """A Parquet file whose structs are columns of their own, named with a point between."""
    from pyarrow import Table, parquet  # noqa: PLC0415

    writer = None
    source = parquet.ParquetFile(path)
    for batch in source.iter_batches():
        rows = Table.from_batches([batch])
        while any(str(column.type).startswith("struct<") for column in rows.schema):
            rows = rows.flatten()
        writer = writer or parquet.ParquetWriter(target, rows.schema)
        writer.write_table(rows)
    if writer is None:
        return path
    writer.close()
    return target


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
