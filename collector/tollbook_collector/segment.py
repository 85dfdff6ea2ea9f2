"""A segment: export requests one after another in a file that is itself one valid export request.

Before each body stands a frame, a protobuf field that no OTLP message has, so readers of OTLP skip it, recovery finds and checks
every record by it, and the store learns from it whose the body is. It is field 1000 of the file, a message of at most 127 bytes
whose fields always stand in this order, each always there:

    fixed64 length = 1      bytes of the body
    bytes digest = 2        SHA-256 of signal, tenant and body
    fixed32 resources = 3   entries of the body: its resource spans, resource metrics or resource logs
    string tenant = 4       at most 63 bytes
    fixed32 crc32 = 5       of the bytes of the message before this field
"""

import hashlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from tollbook_collector import wire

FRAME_FIELD = 1000
TAG = wire.encoded(FRAME_FIELD << 3 | wire.BYTES)
BEFORE_TENANT = struct.Struct("<cQ2s32scIcB")
CHECK = struct.Struct("<cI")
LENGTH, DIGEST, RESOURCES, TENANT, CRC32 = b"\x09", b"\x12\x20", b"\x1d", b"\x22", b"\x2d"
"""Tags of the frame's fields; the digest's with its length."""

MIN_FRAME_BYTES = len(TAG) + 1 + BEFORE_TENANT.size + CHECK.size
MAX_TENANT_BYTES = 127 - BEFORE_TENANT.size - CHECK.size
MAX_FRAME_BYTES = MIN_FRAME_BYTES + MAX_TENANT_BYTES
WINDOW_BYTES = 1 << 20
DIGEST_BYTES = 32
SUFFIX = ".otlp"

LAST_SECOND = 2**32 - 1
"""The store's times of arrival end in 2106; a clock beyond that must not make a segment that can never be loaded."""

CUT_OFF = "cut off"
"""Damage at the end of a segment whose writer was killed in the middle: a record that was never acknowledged."""


@dataclass(frozen=True)
class Frame:
    """What stands before a body."""

    length: int
    """Bytes of the body."""
    digest: bytes
    resources: int
    tenant: str


@dataclass(frozen=True)
class Record:
    """One body found whole in a segment."""

    start: int
    """Offset of its frame."""
    body: int
    """Offset of its body."""
    end: int
    frame: Frame

    @property
    def digest(self) -> bytes:
        """Of its body."""
        return self.frame.digest


@dataclass(frozen=True)
class Damage:
    """Bytes between records that are no record."""

    start: int
    end: int
    reason: str


def digest(signal: str, tenant: str, body: bytes) -> bytes:
    """Identity of a body of that signal and tenant."""
    identity = hashlib.sha256(f"{signal}\0{tenant}\0".encode())
    identity.update(body)
    return identity.digest()


def frame(body_bytes: int, body_digest: bytes, resources: int, tenant: str) -> bytes:
    """What stands before a body of that length."""
    name = tenant.encode()
    if len(name) > MAX_TENANT_BYTES:
        raise ValueError(f"a tenant's name has at most {MAX_TENANT_BYTES} bytes, got {len(name)}")
    content = BEFORE_TENANT.pack(LENGTH, body_bytes, DIGEST, body_digest, RESOURCES, resources, TENANT, len(name)) + name
    content += CHECK.pack(CRC32, zlib.crc32(content))
    return TAG + bytes((len(content),)) + content


def frame_bytes(tenant: str) -> int:
    """Size of the frame of a body of that tenant."""
    return MIN_FRAME_BYTES + len(tenant.encode())


class Content(Protocol):
    """Bytes of a segment, wherever they are."""

    @property
    def size_bytes(self) -> int:
        """How many there are."""

    def read(self, start: int, end: int) -> bytes:
        """Those from `start` to `end`, or to where they end."""


@dataclass(frozen=True)
class InMemory:
    """Bytes of a segment in memory."""

    data: bytes

    @property
    def size_bytes(self) -> int:
        """See Content."""
        return len(self.data)

    def read(self, start: int, end: int) -> bytes:
        """See Content."""
        return self.data[start:end]


def scan(signal: str, content: Content) -> Iterator[Record | Damage]:
    """Whole records of a segment and the damage between them, in order; a record cut off by the end is damage too."""
    place = 0
    while place < content.size_bytes:
        found = _record_at(signal, content, place)
        if isinstance(found, Damage):
            found = Damage(place, _next_frame(content, found.end), found.reason)
        yield found
        place = found.end


def frames(content: Content) -> Iterator[Frame]:
    """The frames of a segment without a look at the bodies, up to the first damage."""
    place = 0
    while (found := _frame_in(content.read(place, place + MAX_FRAME_BYTES))) is not None:
        yield found[0]
        place += found[1] + found[0].length


def _record_at(signal: str, content: Content, place: int) -> Record | Damage:
    head = content.read(place, place + MAX_FRAME_BYTES)
    found = _frame_in(head)
    if found is None:
        return Damage(place, content.size_bytes, CUT_OFF) if _begins_frame(head) else Damage(place, place + 1, "no frame")
    header, frame_size = found
    body = place + frame_size
    end = body + header.length
    if end > content.size_bytes:
        return Damage(place, place + 1, CUT_OFF)
    if digest(signal, header.tenant, content.read(body, end)) != header.digest:
        return Damage(place, end, "changed since it was written")
    return Record(place, body, end, header)


def _frame_in(head: bytes) -> tuple[Frame, int] | None:
    """The frame that these bytes begin with, and its size; none where its check does not hold."""
    content = len(TAG) + 1
    if not head.startswith(TAG) or len(head) < MIN_FRAME_BYTES:
        return None
    _, length, _, body_digest, _, resources, _, name_bytes = BEFORE_TENANT.unpack_from(head, content)
    check = content + BEFORE_TENANT.size + name_bytes
    if check + CHECK.size > len(head) or head[len(TAG)] != check + CHECK.size - content:
        return None
    if CHECK.unpack_from(head, check) != (CRC32, zlib.crc32(head[content:check])):
        return None
    tenant = head[content + BEFORE_TENANT.size : check].decode(errors="replace")
    return Frame(length, body_digest, resources, tenant), check + CHECK.size


def _begins_frame(rest: bytes) -> bool:
    """Whether the last bytes of a segment are the beginning of a frame."""
    head = TAG + rest[len(TAG) : len(TAG) + 1] + LENGTH
    whole = rest[len(TAG)] + len(TAG) + 1 if len(rest) > len(TAG) else MIN_FRAME_BYTES
    return len(rest) < whole and head.startswith(rest[: len(head)])


def _next_frame(content: Content, place: int) -> int:
    """Offset of the next frame whose check holds, or the end."""
    while place < content.size_bytes:
        window = content.read(place, place + WINDOW_BYTES)
        found = window.find(TAG)
        while found >= 0 and _frame_in(content.read(place + found, place + found + MAX_FRAME_BYTES)) is None:
            found = window.find(TAG, found + 1)
        if found >= 0:
            return place + found
        if place + len(window) >= content.size_bytes:
            break
        place += len(window) - len(TAG) + 1  # a tag may stand across the edge
    return content.size_bytes
