"""A segment: export requests one after another in a file that is itself one valid export request.

Before each body stands a frame, a protobuf field that no OTLP message has, so readers of OTLP skip it while recovery finds and
checks every record by it. Layout of a record, integers little-endian:

    tag and length of the frame   3 bytes   field 1000, 44 bytes
    length of the body            8 bytes
    SHA-256 of signal and body   32 bytes
    CRC-32 of the 40 bytes above  4 bytes
    the body
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from tollbook_collector import wire

FRAME_FIELD = 1000
FRAME = struct.Struct("<Q32s")
CHECK = struct.Struct("<I")
HEAD = wire.encoded(FRAME_FIELD << 3 | wire.BYTES) + wire.encoded(FRAME.size + CHECK.size)
FRAME_BYTES = len(HEAD) + FRAME.size + CHECK.size


CUT_OFF = "cut off"
"""Damage at the end of a segment whose writer was killed in the middle: a record that was never acknowledged."""


@dataclass(frozen=True)
class Record:
    """One body found whole in a segment."""

    start: int
    """Offset of its frame."""
    body: int
    """Offset of its body."""
    end: int
    digest: bytes


@dataclass(frozen=True)
class Damage:
    """Bytes between records that are no record."""

    start: int
    end: int
    reason: str


def digest(signal: str, body: bytes) -> bytes:
    """Identity of a body of that signal."""
    identity = hashlib.sha256(signal.encode())
    identity.update(body)
    return identity.digest()


def frame(body: bytes, body_digest: bytes) -> bytes:
    """What stands before a body."""
    content = FRAME.pack(len(body), body_digest)
    return HEAD + content + CHECK.pack(zlib.crc32(content))


def scan(signal: str, data: bytes) -> Iterator[Record | Damage]:
    """Whole records of a segment and the damage between them, in order; a record cut off by the end is damage too."""
    place = 0
    while place < len(data):
        found = _record_at(signal, data, place)
        if isinstance(found, Damage):
            found = Damage(place, _next_frame(data, found.end), found.reason)
        yield found
        place = found.end


def _record_at(signal: str, data: bytes, place: int) -> Record | Damage:
    header = _header_at(data, place)
    if header is None and len(data) - place < FRAME_BYTES and HEAD.startswith(data[place : place + len(HEAD)]):
        return Damage(place, len(data), CUT_OFF)
    if header is None:
        return Damage(place, place + 1, "no frame")
    length, expected = header
    body = place + FRAME_BYTES
    if body + length > len(data):
        return Damage(place, place + 1, CUT_OFF)
    if digest(signal, data[body : body + length]) != expected:
        return Damage(place, body + length, "changed since it was written")
    return Record(place, body, body + length, expected)


def _header_at(data: bytes, place: int) -> tuple[int, bytes] | None:
    if not data.startswith(HEAD, place) or place + FRAME_BYTES > len(data):
        return None
    content = data[place + len(HEAD) : place + len(HEAD) + FRAME.size]
    (check,) = CHECK.unpack_from(data, place + len(HEAD) + FRAME.size)
    if zlib.crc32(content) != check:
        return None
    length, body_digest = FRAME.unpack(content)
    return length, body_digest


def _next_frame(data: bytes, place: int) -> int:
    """Offset of the next frame whose check holds, or the end."""
    place = data.find(HEAD, place)
    while place >= 0 and _header_at(data, place) is None:
        place = data.find(HEAD, place + 1)
    return len(data) if place < 0 else place
