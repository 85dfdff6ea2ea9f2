"""Bodies of requests, decompressed: never larger than allowed, and a bomb takes no memory. Pure: bytes in, bytes out."""

import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias, cast

from isal import isal_zlib

from tollbook_collector.errors import BadRequestError, TooLargeError, UnsupportedMediaTypeError

if sys.version_info >= (3, 14):
    from compression.zstd import DecompressionParameter, ZstdDecompressor, ZstdError
else:
    from backports.zstd import DecompressionParameter, ZstdDecompressor, ZstdError

GZIP_WINDOW = 31
"""zlib's number for a 32 KiB window in a gzip wrapper."""

ZSTD_WINDOW_LOG = 23
"""Windows of up to 8 MiB, which is what RFC 9659 allows on the web; a frame may ask for 2 GiB."""

STEP_BYTES = 256 * 1024
"""Fed and taken at a time, so that no step grows far beyond the limit."""

SUSPECT_RATIO = 20
"""A body that grows more than this is first decompressed to nowhere: a bomb ends there. Spans grow 5 to 15 times, and what grows
more costs little the second time."""

MAX_MEMBERS = 1024
"""Compressed streams in one body. An empty one has 20 bytes, so 64 MiB could hold three million."""

Stream: TypeAlias = Any
"""A decompressor as the standard library makes them: `decompress(data, max_length)`, `eof`, `unused_data`. None shares a type."""


def _gzip() -> Stream:
    return isal_zlib.decompressobj(GZIP_WINDOW)  # three to seven times as fast as zlib


def _zstd() -> Stream:
    return ZstdDecompressor(options={DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG})


PLAIN = frozenset({"", "identity", "none"})
STREAMS: Mapping[str, Callable[[], Stream]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "zstd": _zstd,
    "deflate in gRPC": zlib.decompressobj,
}
FAULTS: tuple[type[Exception], ...] = (zlib.error, cast(type[Exception], isal_zlib.error), ZstdError)


def check_coding(coding: str) -> None:
    """Refuses what `decompressed` cannot read, before its body is.

    Raises:
        UnsupportedMediaTypeError: the compression is neither none nor gzip nor zstd.
    """
    if coding not in PLAIN and coding not in STREAMS:
        raise UnsupportedMediaTypeError(f"Content-Encoding {coding[:40]} is not supported; gzip and zstd are")


def decompressed(coding: str, body: bytes, max_bytes: int) -> bytes:
    """The content of a body, in one or more streams of that coding.

    Raises:
        TooLargeError: it is larger than `max_bytes`.
        BadRequestError: it is damaged, cut off, or followed by something else.
        UnsupportedMediaTypeError: the coding is not known.
    """
    check_coding(coding)
    if coding in PLAIN:
        return body
    pieces = partial(_pieces, coding, body, max_bytes)
    kept: list[bytes] = []
    kept_bytes = 0
    for piece in pieces():
        kept.append(piece)
        kept_bytes += len(piece)
        if kept_bytes > max(STEP_BYTES, SUSPECT_RATIO * len(body)):
            break
    else:
        return b"".join(kept)
    kept.clear()
    for _ in pieces():
        pass
    return b"".join(pieces())


def compressed_by_grpc(message: bytes) -> str:
    """The coding of a gRPC message, which comes without its headers: no export request begins like a stream of these."""
    if message[:2] == b"\x1f\x8b":  # as protobuf: wire type 7, which there is not
        return "gzip"
    if message[:1] == b"\x78" and int.from_bytes(message[:2], "big") % 31 == 0:  # as protobuf: a number in field 15
        return "deflate in gRPC"
    return ""


def _pieces(coding: str, body: bytes, max_bytes: int) -> Iterator[bytes]:
    """The content step by step."""
    left_bytes = max_bytes
    for piece in _steps(coding, body):
        left_bytes -= len(piece)
        if left_bytes < 0:
            raise TooLargeError(f"the body decompresses to more than {max_bytes} bytes")
        yield piece


def _steps(coding: str, body: bytes) -> Iterator[bytes]:
    stream, streams = None, 0
    for place in range(0, len(body), STEP_BYTES):
        data = body[place : place + STEP_BYTES]
        while data:
            if stream is None:
                stream, streams = STREAMS[coding](), streams + 1
            yield from _step(coding, stream, data)
            data = stream.unused_data if stream.eof else b""
            stream = None if stream.eof else stream
            if streams > MAX_MEMBERS:
                raise BadRequestError(f"{coding} in more than {MAX_MEMBERS} streams")
    if stream is not None or not body:
        fault = "is followed by something else" if streams > 1 else "ends too early"
        raise BadRequestError(f"{coding} {fault}, after {len(body)} bytes")


def _step(coding: str, stream: Stream, data: bytes) -> Iterator[bytes]:
    """Everything that comes out of a stream with these bytes."""
    while data or not stream.eof:
        try:
            piece = stream.decompress(data, STEP_BYTES)
        except FAULTS as error:
            raise BadRequestError(f"not {coding}: {error}") from error
        yield piece
        data = b"" if stream.eof else getattr(stream, "unconsumed_tail", b"")
        if not piece and not data:
            return
