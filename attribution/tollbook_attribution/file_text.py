"""Bytes of a small file as text: UTF-8 or UTF-16, packed with gzip or not. Pure."""

import codecs
import gzip
import io
import zlib

MOST_BYTES = 256 << 20
"""Largest text, once unpacked; LiteLLM's map has 3 MB."""

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
    try:
        return plain.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = plain[: error.start].count(b"\n") + 1
        raise NotTextError(f"not {'UTF-16' if wide else 'UTF-8'} at byte {error.start}", line) from error


def _unpacked(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            plain = packed.read(MOST_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise NotTextError(f"cannot be unpacked: {error}") from error
    if len(plain) > MOST_BYTES:
        raise NotTextError(f"has more than {MOST_BYTES:,} bytes, unpacked")
    return plain
