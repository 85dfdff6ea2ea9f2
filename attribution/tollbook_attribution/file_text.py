"""Bytes of a small file as text: UTF-8 or UTF-16, packed with gzip or not. Pure."""

import codecs
import csv
import gzip
import io
import zlib

MOST_BYTES = 256 << 20
"""Largest text, once unpacked; LiteLLM's map has 3 MB."""

MOST_CELLS = 1_000
"""Cells of a line that a broken one is looked for in."""

LOOKED_AT = 1024
"""Bytes that tell a text from what is none."""

OTHERS = {
    b"PK\x03\x04": "is a workbook or a zip archive; save it as CSV",
    b"PAR1": "is a Parquet file; save it as CSV or JSON",
}


class NotTextError(ValueError):
    """The bytes are no text; says what they are, and where that shows."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


def of(content: bytes) -> str:
    """The text that bytes are of, without its mark of the order of bytes. Raises NotTextError."""
    for magic, message in OTHERS.items():
        if content.startswith(magic):
            raise NotTextError(message)
    plain = _unpacked(content) if content.startswith(b"\x1f\x8b") else content
    wide = plain.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if not wide and b"\0" in plain[:LOOKED_AT]:
        both = plain[:LOOKED_AT:2].strip(b"\0") == b"" or plain[1:LOOKED_AT:2].strip(b"\0") == b""
        raise NotTextError("is UTF-16 without its first mark; save it as UTF-8" if both else "is a binary file, no text")
    try:
        text = plain.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _not_decoded(plain, wide, error) from error
    return text if "\n" in text else text.replace("\r", "\n")  # as old spreadsheets end lines


def _not_decoded(plain: bytes, wide: bool, error: UnicodeDecodeError) -> NotTextError:
    if wide:
        return NotTextError(f"not UTF-16 at byte {error.start}; save it as UTF-8")
    place = error.start - plain.rfind(b"\n", 0, error.start)
    said = f"not UTF-8: byte 0x{plain[error.start]:02x} at place {place}; save the file as UTF-8"
    return NotTextError(said, plain[: error.start].count(b"\n") + 1)


def _unpacked(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            plain = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NotTextError(f"cannot be unpacked: {error}") from error
    if len(plain) > MOST_BYTES:
        raise NotTextError(f"has more than {MOST_BYTES:,} bytes, unpacked")
    return plain


def broken_cell(record: str, delimiter: str) -> int:
    """Which cell of a line of CSV, from 0 on, cannot be read: the one after the longest beginning that can."""
    ends = [place for place, sign in enumerate(record) if sign == delimiter]
    for whole in range(min(len(ends), MOST_CELLS), 0, -1):
        try:
            cells = next(csv.reader([record[: ends[whole - 1]]], delimiter=delimiter, strict=True), [""])
        except csv.Error:
            continue
        return len(cells)
    return 0
