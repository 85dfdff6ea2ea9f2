"""Files of bills: what they are, unpacked where they are packed, and how their columns are called. Only headers are read."""

import bz2
import codecs
import csv
import gzip
import io
import itertools
import json
import lzma
import re
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, cast

from tollbook_schema import sql
from tollbook_schema.store import QueryError, Store

from tollbook_attribution.bills import answers, damage, formats
from tollbook_attribution.bills.problems import BillError, Problem, of_file

HEADER_LINES = 20
"""Lines in which the header is looked for: some portals put a title or the account's name above it."""

DELIMITERS = (",", ";", "\t", "|")
SIDE_FILES = ("manifest", "__macosx", "readme", "create-table.sql", "sha256", "md5")
"""Parts of the names of files that exports bring along, and that are no bill."""
HIDDEN = (".", "_")
"""Beginnings of the names of files that writers of folders keep for themselves, such as `_SUCCESS`."""

ZSTD = b"\x28\xb5\x2f\xfd"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
SLASHED = re.compile(r"\d{1,2}/\d{1,2}/\d{4}\b")


@dataclass(frozen=True)
class BillFile:
    """One file of rows, as ClickHouse is asked to read it."""

    name: str
    """As people know it."""
    path: Path
    kind: str
    """ClickHouse's name of the format: CSV, JSONEachRow or Parquet."""
    compression: str
    header: tuple[str, ...]
    skip: int = 0
    """Records before the first row, empty ones too: ClickHouse counts a line break inside of quotes as none."""
    above: int = 0
    """Lines before the first row."""
    delimiter: str = ","
    slashed: bool = False
    """Whether days are written with slashes, so that the month may stand first or second."""
    told: tuple[tuple[str, str], ...] = ()
    """What holds for every row, by name: lines of a name and a value above the header."""

    @property
    def names(self) -> tuple[str, ...]:
        """Columns, and what is told of every row after them."""
        return (*self.header, *(name for name, _ in self.told))

    @property
    def structure(self) -> str:
        """Columns as ClickHouse is told them: text, whatever they hold. Parquet says itself what it has."""
        if self.kind == "Parquet":
            return "auto"
        names = self.header if self.kind == "JSONEachRow" else [f"c{place}" for place in range(len(self.header))]
        return ", ".join(f"`{_escaped(name)}` Nullable(String)" for name in names)


@contextmanager
def unpacked(paths: Sequence[Path], store: Store, names: Sequence[str] = ()) -> Iterator[list[BillFile]]:
    """The files of rows in these files, folders and zip archives, ready to be read for as long as the block.

    Raises:
        BillError: one of them is empty, cannot be read or is no file of rows.
    """
    with tempfile.TemporaryDirectory(prefix="tollbook-bill-") as folder:
        room = Path(folder)
        found: list[BillFile] = []
        for name, path in _members(paths, names, room):
            linked = room / f"{len(found)}.rows"
            if not _from_utf_16(name, path, linked):
                linked.symlink_to(path.resolve())  # ClickHouse reads * ? { } in a path as patterns
            found.append(_opened(name, linked, store))
        if not found:
            raise BillError([Problem(str(path), None, "", "", "holds no file of a bill") for path in paths])
        yield found


def line_of(file: BillFile, row: int) -> int:
    """The line of the file that a row begins in, with line breaks inside of quotes counted."""
    if file.kind != "CSV":
        return row
    with damage.text(file.path, file.compression) as lines:
        before = sum(1 for _ in itertools.islice(lines, file.above))
        reader = csv.reader(lines, delimiter=file.delimiter)
        wanted = 0
        for _ in itertools.islice((record for record in _nonempty(reader)), row - 1):
            wanted = reader.line_num
        return before + wanted + 1


def _nonempty(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    return (record for record in reader if record)


def _members(paths: Sequence[Path], names: Sequence[str], room: Path) -> Iterator[tuple[str, Path]]:
    for path, name in itertools.zip_longest(paths, names[: len(paths)]):
        if len(paths) > 1 and _beside(path.name):
            continue
        if path.is_dir():
            inside = sorted(found for found in path.rglob("*") if found.is_file() and not _inside(found.name))
            yield from _members(inside, (), room)
        else:
            yield from _plain(name or path.name, path, room)


def _plain(name: str, path: Path, room: Path) -> Iterator[tuple[str, Path]]:
    """What a file holds, as files that can be read: those of an archive, also of one in another."""
    magic = _magic(path)
    if magic.startswith(b"PK"):
        yield from _unzipped(name, path, room)
    elif _is_tar(path):
        yield from _untarred(name, path, room)
    elif magic.startswith((b"BZh", b"\xfd7zX", ZSTD)):
        target = _target(room)
        try:
            with _unpacking(name, path, magic) as packed, target.open("wb") as plain:
                shutil.copyfileobj(packed, plain)
        except (OSError, EOFError, lzma.LZMAError) as error:
            raise of_file(name, f"cannot be unpacked: {error}") from error
        yield name, target
    else:
        yield name, path


def _unpacking(name: str, path: Path, magic: bytes) -> IO[bytes]:
    """What is packed in a file. ClickHouse reads zstd too, and half of a file without a word."""
    if magic.startswith(b"BZh"):
        return bz2.open(path)
    if magic != ZSTD:
        return lzma.open(path)
    try:
        import pyarrow as pa  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, and rarely wanted
    except ImportError as error:
        raise of_file(name, "is packed with zstd: unpack it, or install tollbook[dashboard], which brings pyarrow") from error
    return cast("IO[bytes]", pa.CompressedInputStream(pa.OSFile(str(path)), "zstd"))


def _is_tar(path: Path) -> bool:
    try:
        return tarfile.is_tarfile(path)
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return False


def _target(room: Path) -> Path:
    return Path(tempfile.mkdtemp(dir=room)) / "rows"


def _unzipped(name: str, path: Path, room: Path) -> Iterator[tuple[str, Path]]:
    prefix = f"{name}/" if name.endswith(".zip") else ""
    try:
        with zipfile.ZipFile(path) as archive:
            if "[Content_Types].xml" in archive.namelist():
                raise of_file(name, "is a workbook of a spreadsheet; save its sheet as CSV")
            for member in archive.infolist():
                if member.is_dir() or _inside(member.filename):
                    continue
                target = _target(room)
                with archive.open(member) as packed, target.open("wb") as plain:
                    shutil.copyfileobj(packed, plain)
                yield from _plain(f"{prefix}{member.filename}", target, room)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise of_file(name, f"is no readable zip archive: {error}") from error


def _untarred(name: str, path: Path, room: Path) -> Iterator[tuple[str, Path]]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                packed = archive.extractfile(member) if member.isfile() and not _inside(member.name) else None
                if packed:
                    target = _target(room)
                    with packed, target.open("wb") as plain:
                        shutil.copyfileobj(packed, plain)
                    yield from _plain(f"{name}/{member.name}", target, room)
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise of_file(name, f"is no readable tar archive: {error}") from error


def _from_utf_16(name: str, path: Path, target: Path) -> bool:
    """Writes a file of UTF-16, as spreadsheets save it, in UTF-8; whether it was one."""
    packed = _magic(path).startswith(b"\x1f\x8b")
    try:
        with gzip.open(path) if packed else path.open("rb") as content:
            if content.read(2) not in UTF_16:
                return False
            content.seek(0)
            decoder = codecs.getincrementaldecoder("utf-16")()
            with target.open("w", encoding="utf-8", newline="") as plain:
                while piece := content.read(damage.AT_ONCE):
                    plain.write(decoder.decode(piece))
                plain.write(decoder.decode(b"", final=True))
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        raise of_file(name, f"cannot be read as text: {error}") from error
    return True


def _beside(name: str) -> bool:
    return any(part in name.lower() for part in SIDE_FILES)


def _inside(name: str) -> bool:
    """Whether a file in a folder or archive is none of a bill."""
    return _beside(name) or name.rsplit("/", 1)[-1].startswith(HIDDEN)


def _magic(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(4)
    except OSError as error:
        raise of_file(str(path), f"cannot be read: {error.strerror}") from error


def _opened(name: str, path: Path, store: Store) -> BillFile:
    magic = _magic(path)
    compression = "gzip" if magic.startswith(b"\x1f\x8b") else "none"
    if not magic:
        raise of_file(name, "is empty")
    if magic == b"PAR1":
        return _self_described(name, path, "Parquet", compression, store)
    start = _start(name, path, compression)
    if start.lstrip().startswith(("{", "[")):
        return _json(name, path, compression, store)
    return _csv(name, path, compression, start)


def _start(name: str, path: Path, compression: str) -> str:
    try:
        with damage.text(path, compression) as lines:
            start = "".join(itertools.islice(lines, HEADER_LINES))
    except UnicodeError as error:
        raise of_file(name, f"is no text in UTF-8 or UTF-16; save it in UTF-8: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise of_file(name, f"cannot be read as text: {error}") from error
    if "\r" in start and "\n" not in start:
        raise of_file(name, "ends its lines with CR alone, as old spreadsheets do; save it with LF or CRLF")
    if not start.strip():
        raise of_file(name, "is empty")
    return start


def _csv(name: str, path: Path, compression: str, start: str) -> BillFile:
    with damage.long_cells():
        (skip, above), delimiter, header, facts = _header(start)
    if len(header) < 2:
        raise of_file(name, "has no line with the names of columns", line=1)
    twice = [column for column in header if column and header.count(column) > 1]
    if twice:
        raise of_file(name, "stands twice in the header", twice[0], above)
    damage.checked_whole(name, path, compression, delimiter)
    if delimiter == "\t":
        path, compression, delimiter = _with_commas(path, compression), "none", ","
    slashed = bool(SLASHED.search(start))
    there = {formats.word(column) for column in header}
    told = tuple((column, value) for column, value in facts.items() if formats.word(column) not in there)
    return BillFile(name, path, "CSV", compression, header, skip, above, delimiter, slashed, told)


def _with_commas(path: Path, compression: str) -> Path:
    """The same lines with commas between their cells: ClickHouse takes no tab for a delimiter."""
    target = path.with_suffix(".commas")
    with damage.text(path, compression) as lines, target.open("w", encoding="utf-8", newline="") as plain:
        csv.writer(plain, lineterminator="\n").writerows(csv.reader(lines, delimiter="\t"))
    return target


def _header(start: str) -> tuple[tuple[int, int], str, tuple[str, ...], dict[str, str]]:
    """Of the first line that a format knows, else of that of most words.

    Returns:
        records and lines down to its end; the sign between columns; their names; what lines of a name and a value say above it.
    """
    best: tuple[int, tuple[int, int], str, tuple[str, ...], dict[str, str]] = (0, (1, 1), ",", (), {})
    for delimiter in DELIMITERS:
        facts: dict[str, str] = {}
        reader = csv.reader(io.StringIO(start), delimiter=delimiter)
        for place, record in enumerate(reader, start=1):
            names = tuple(cell.strip() for cell in record)
            if formats.detected(names):
                return (place, reader.line_num), delimiter, names, facts
            filled = sum(1 for cell in names if cell and not cell.replace(".", "").isdigit())
            if filled > best[0]:
                best = (filled, (place, reader.line_num), delimiter, names, dict(facts))
            if len(names) > 1 and all(names[:2]) and not any(names[2:]):
                facts[names[0]] = names[1]
    return best[1:]


def _json(name: str, path: Path, compression: str, store: Store) -> BillFile:
    """Rows of JSON, also those within the answer of an API."""
    file = _self_described(name, path, "JSONEachRow", compression, store)
    held = {column.casefold() for column in file.header} & set(answers.HOLDERS)
    if not held or formats.detected(file.header) or not (answer := answers.read(name, path, compression)):
        return file
    lines = path.with_suffix(".lines")
    with lines.open("w", encoding="utf-8") as plain:
        plain.writelines(f"{json.dumps(row)}\n" for row in answer.rows)
    there = {formats.word(column) for row in answer.rows for column in row}
    told = tuple((column, value) for column, value in answer.told if formats.word(column) not in there)
    return replace(_self_described(name, lines, "JSONEachRow", "none", store), told=told)


def _self_described(name: str, path: Path, kind: str, compression: str, store: Store) -> BillFile:
    question = sql.text("tollbook_attribution", "bills/queries/names_of_columns.sql")
    try:
        columns = store.told_of_file(question, {"path": str(path), "kind": kind, "compression": compression})
    except QueryError as error:
        if kind == "JSONEachRow":
            raise damage.of_json(name, path, compression, str(error)) from error
        raise of_file(name, f"cannot be read as {kind}: {damage.reason(str(error))}") from error
    return BillFile(name, path, kind, compression, tuple(str(column["name"]) for column in columns))


def _escaped(name: str) -> str:
    return name.replace("\\", "\\\\").replace("`", "\\`")
