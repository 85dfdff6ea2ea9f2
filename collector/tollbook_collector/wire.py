"""The protobuf wire format, as far as envelopes need it: fields with their places, without knowing the message."""

from collections.abc import Iterator
from dataclasses import dataclass

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


class WireError(ValueError):
    """The bytes are not a protobuf message."""


@dataclass(frozen=True)
class Field:
    """One field of a message: its number, its wire type, and where it stands."""

    number: int
    kind: int
    start: int
    """Offset of the tag."""
    value: int
    """Offset of the content, after the length where there is one."""
    end: int


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of the message in `data[start:end]`, in order.

    Raises:
        WireError: the bytes end inside a field, or a tag is impossible (groups among them).
    """
    end = len(data) if end is None else end
    place = start
    while place < end:
        tag, value = varint(data, place, end)
        kind = tag & 7
        if kind == BYTES:
            length, value = varint(data, value, end)
            after = value + length
        elif kind == VARINT:
            after = varint(data, value, end)[1]
        elif kind in (FIXED32, FIXED64):
            after = value + (4 if kind == FIXED32 else 8)
        else:
            raise WireError(f"impossible wire type {kind} at byte {place}")
        if after > end or tag < 8:
            raise WireError(f"field {tag >> 3} at byte {place} goes beyond its message")
        yield Field(tag >> 3, kind, place, value, after)
        place = after


def varint(data: bytes, place: int, end: int) -> tuple[int, int]:
    """The number at `place` and the offset after it.

    Raises:
        WireError: it does not end before `end`, or is longer than ten bytes.
    """
    number = 0
    for shift in range(0, 70, 7):
        if place >= end:
            break
        byte = data[place]
        place += 1
        number |= (byte & 127) << shift
        if byte < 128:
            return number, place
    raise WireError(f"a number is cut off at byte {place}")


def tagged(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return encoded(number << 3 | BYTES) + encoded(len(content)) + content


def encoded(number: int) -> bytes:
    """A number as a varint."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
