"""Request bodies as they arrive: piece by piece, decompressed on the way, never larger than allowed at either size."""

import zlib
from typing import Protocol

from tollbook_collector.errors import BadRequestError, TooLargeError, UnsupportedMediaTypeError

GZIP_WINDOW = 31
"""zlib's number for a 32 KiB window in a gzip wrapper."""


class Body(Protocol):
    """A body that is growing."""

    step_bytes: int
    """Bytes to feed at a time, so that no step takes long."""

    def feed(self, piece: bytes) -> int:
        """Takes the next piece as sent; how many bytes of memory it added. Raises a RefusedError."""

    def whole(self) -> bytes:
        """The body once all has come. Raises BadRequestError where it ends too early."""


def body(content_encoding: str, max_bytes: int) -> Body:
    """An empty body of at most `max_bytes`.

    Raises:
        UnsupportedMediaTypeError: the compression is neither none nor gzip.
    """
    if content_encoding in ("", "identity", "none"):
        return Plain(max_bytes)
    if content_encoding in ("gzip", "x-gzip"):
        return Gzip(max_bytes)
    raise UnsupportedMediaTypeError(f"Content-Encoding {content_encoding} is not supported; gzip is")


class Plain:
    """A body without compression."""

    step_bytes = 1024 * 1024

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._pieces: list[bytes] = []
        self._size_bytes = 0

    def feed(self, piece: bytes) -> int:
        """Takes the next piece."""
        self._size_bytes += len(piece)
        if self._size_bytes > self._max_bytes:
            raise TooLargeError(f"the body is larger than {self._max_bytes} bytes")
        self._pieces.append(piece)
        return len(piece)

    def whole(self) -> bytes:
        """All pieces as one."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)


class Gzip:
    """A body of one or more gzip members. No piece is decompressed beyond what the limit leaves."""

    step_bytes = 16 * 1024  # of which gzip makes 16 MiB at most

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._plain = Plain(max_bytes)
        self._left_bytes = max_bytes
        self._sent_bytes = 0
        self._member: zlib._Decompress | None = None

    def feed(self, piece: bytes) -> int:
        """Takes the next piece and decompresses it."""
        self._sent_bytes += len(piece)
        if self._sent_bytes > self._max_bytes:
            raise TooLargeError(f"the compressed body is larger than {self._max_bytes} bytes")
        added = 0
        while piece:
            member = self._member or zlib.decompressobj(GZIP_WINDOW)
            content = self._decompressed(member, piece)
            added += self._plain.feed(content)
            self._left_bytes -= len(content)
            piece = member.unused_data if member.eof else b""
            self._member = None if member.eof else member
        return added

    def _decompressed(self, member: "zlib._Decompress", piece: bytes) -> bytes:
        try:
            content = member.decompress(piece, self._left_bytes + 1)
        except zlib.error as error:
            raise BadRequestError(f"not gzip: {error}") from error
        if len(content) > self._left_bytes:
            raise TooLargeError(f"the body decompresses to more than {self._max_bytes} bytes")
        return content

    def whole(self) -> bytes:
        """The decompressed body."""
        if self._member is not None or not self._sent_bytes:
            raise BadRequestError(f"gzip ends too early, after {self._sent_bytes} bytes")
        return self._plain.whole()


def gunzipped(data: bytes, max_bytes: int) -> bytes:
    """`data` decompressed. Raises as `Body` does."""
    compressed = Gzip(max_bytes)
    compressed.feed(data)
    return compressed.whole()
