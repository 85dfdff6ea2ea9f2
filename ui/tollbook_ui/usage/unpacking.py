"""A usage file as the engine reads it: packed with gzip at most, in UTF-8. What is neither is written anew into a folder."""

import bz2
import codecs
import gzip
import lzma
import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any, cast

from tollbook_ui.periods import BadQuestionError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

GZIP, ZIP = b"\x1f\x8b", b"PK\x03\x04"
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

OPENERS: Mapping[bytes, Callable[[Path], Any]] = {
    b"\x28\xb5\x2f\xfd": zstd.open,
    b"\xfd7zXZ": lzma.open,
    b"BZh": bz2.open,
}
"""What reads a packed file, by its first bytes; gzip is left to the engine."""

FAULTS = (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError, zipfile.BadZipFile, RuntimeError, NotImplementedError)

MAX_UNPACKED_BYTES = 16 * 1024**3
AT_ONCE = 1 << 20


def unpacked(path: Path, name: str, folder: Path) -> Path:
    """The file itself, or what it holds, written into the folder.

    Raises:
        BadQuestionError: it cannot be unpacked, or holds too much or not one file.
    """
    start = _start(path)
    plain = path
    for magic, opener in OPENERS.items():
        if start.startswith(magic):
            plain = _written(lambda opener=opener: opener(path), name, folder / "plain")  # type: ignore[misc]
    if start.startswith(ZIP):
        plain = _member(path, name, folder)
    return _from_utf_16(plain, name, folder)


def is_gzip(path: Path) -> bool:
    """Whether a file is packed with gzip."""
    return _start(path).startswith(GZIP)


def _start(path: Path) -> bytes:
    with path.open("rb") as raw:
        return raw.read(8)


def _member(path: Path, name: str, folder: Path) -> Path:
    try:
        with zipfile.ZipFile(path) as archive:
            if "[Content_Types].xml" in archive.namelist():
                raise BadQuestionError(f"{name} is a workbook of a spreadsheet: save its sheet as CSV")
            inside = [member for member in archive.namelist() if not member.endswith("/") and "__MACOSX" not in member]
            if len(inside) != 1:
                raise BadQuestionError(f"{name} holds {len(inside)} files: unpack it and import each of them")
            return _written(lambda: archive.open(inside[0]), name, folder / "plain")
    except FAULTS as error:
        raise BadQuestionError(f"{name} cannot be unpacked: {error}") from error


def _written(opened: Callable[[], IO[bytes]], name: str, target: Path) -> Path:
    try:
        with opened() as packed, target.open("wb") as plain:
            while piece := packed.read(AT_ONCE):
                plain.write(piece)
                if plain.tell() > MAX_UNPACKED_BYTES:
                    raise BadQuestionError(f"{name} holds more than {MAX_UNPACKED_BYTES:,} bytes, unpacked: import it in parts")
    except FAULTS as error:
        raise BadQuestionError(f"{name} cannot be unpacked: {error}") from error
    return target


def _from_utf_16(path: Path, name: str, folder: Path) -> Path:
    """A file of UTF-16, as spreadsheets save it, in UTF-8; any other as it is."""
    with gzip.open(path) if is_gzip(path) else path.open("rb") as content:
        try:
            if cast("IO[bytes]", content).read(2) not in UTF_16:
                return path
        except FAULTS as error:
            raise BadQuestionError(f"{name} cannot be unpacked: {error}") from error
        content.seek(0)
        target = folder / "utf-8"
        try:
            with codecs.getreader("utf-16")(content) as text, target.open("w", encoding="utf-8", newline="") as plain:
                shutil.copyfileobj(text, plain, AT_ONCE)
        except UnicodeDecodeError as error:
            raise BadQuestionError(f"{name} is no text in UTF-16: {error}") from error
    return target
