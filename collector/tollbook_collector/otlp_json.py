"""OTLP/JSON to OTLP protobuf. Pure: bytes in, bytes out, no clock and no I/O.

Google's JSON parser would read hex ids as base64, so this is our own. The rules, per OTLP 1.x and what real senders send:

* ids are hex in either case; other bytes are base64, with or without padding, in either alphabet;
* 64-bit integers are strings or numbers; `1e3` is 1000, `1.5` is refused, and so is what does not fit;
* doubles are numbers, "NaN", "Infinity" or "-Infinity"; `"doubleValue": null` is NaN, because that is how JavaScript writes NaN;
* enums are numbers; their names, which older senders write, are understood too;
* a lone surrogate (a cut emoji) becomes U+FFFD, and so does a byte that is not UTF-8;
* unknown fields are ignored, `null` means absent, the last of two equal keys wins;
* a record with a value that cannot be is left out and counted, the others are kept.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache, partial
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from tollbook_collector.errors import BadRequestError, TooLargeError
from tollbook_collector.signals import SIGNALS, Signal

MAX_DEPTH = 100
"""Messages inside messages; the protobuf parser's own limit, so that both encodings take the same."""

MAX_VALUES = 2_000_000
"""Values in one request: 35 MB of ordinary spans, 500 MB of Python objects at the worst, and half a second to build."""

IDS = frozenset({"trace_id", "span_id", "parent_span_id"})
RECORDS = frozenset({"spans", "log_records", "data_points"})
SURROGATE = re.compile("[\ud800-\udfff]")
RANGES: Mapping[int, tuple[int, int]] = {
    FieldDescriptor.TYPE_INT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: (-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: (0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: (-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: (0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: (0, 2**64 - 1),
}


@dataclass
class Converted:
    """A request in protobuf."""

    body: bytes = b""
    rejected: int = 0
    """Records left out because a value of theirs cannot be."""
    reason: str = ""
    """What was wrong with the first of them."""


class _BadValueError(ValueError):
    """A value that its field cannot hold."""


Reader: TypeAlias = Callable[[object, int, Converted], Any]
"""Turns a JSON value into what the message's constructor takes, at a depth, and counts what it leaves out."""


def check_values(body: bytes) -> None:
    """Refuses what would take too much memory to read, by its commas and brackets. Protobuf takes a tenth of it.

    Raises:
        TooLargeError: there are more than MAX_VALUES.
    """
    if len(body) > MAX_VALUES and sum(map(body.count, (b",", b"{", b"["))) > MAX_VALUES:
        raise TooLargeError(f"the JSON has more than {MAX_VALUES:,} values; send less at a time, or protobuf")


def to_protobuf(signal: Signal, body: bytes) -> Converted:
    """The same request in protobuf, byte for byte what a protobuf client would have sent.

    Raises:
        BadRequestError: it is no JSON object, belongs to another signal, or what all its records share is wrong.
    """
    tree = parsed(body)
    _refuse_other_signals(signal, tree)
    converted = Converted()
    try:
        values = _message(signal.request.DESCRIPTOR)(tree, 0, converted)
    except _BadValueError as error:
        raise BadRequestError(f"not an OTLP/JSON export of {signal.name}: {error}") from error
    converted.body = signal.request(**values).SerializeToString()
    return converted


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; bytes that are not UTF-8 become U+FFFD.

    Raises:
        BadRequestError: it is no JSON object, or nested too deep to be one in earnest.
    """
    try:
        tree = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise BadRequestError(f"not JSON: {error}, in {len(body)} bytes") from error
    if not isinstance(tree, dict):
        raise BadRequestError(f"not an OTLP/JSON export: {_kind(tree)} instead of an object")
    return tree


def _refuse_other_signals(signal: Signal, tree: Mapping[str, Any]) -> None:
    """Ignoring unknown fields must not turn a misdirected request into an empty one that is acknowledged."""
    if signal.resource_field in tree:
        return
    for other in SIGNALS.values():
        if other.resource_field in tree:
            raise BadRequestError(f"this is an export of {other.name}, sent to {signal.name}")
        if _snake(other.resource_field) in tree:
            raise BadRequestError(f"OTLP/JSON keys are lowerCamelCase, {_snake(other.resource_field)} is not")


@cache
def _message(descriptor: Descriptor) -> Reader:
    readers: dict[str, tuple[str, Reader]] = {}

    def read(value: object, depth: int, converted: Converted) -> dict[str, Any]:
        if not readers:
            readers.update({f.json_name: (f.name, _field(f)) for f in descriptor.fields})
        if not isinstance(value, dict):
            raise _BadValueError(f"{descriptor.name} must be an object, got {_kind(value)}")
        if depth >= MAX_DEPTH:
            raise _BadValueError(f"nested more than {MAX_DEPTH} deep")
        values = {}
        for key, content in value.items():
            known = readers.get(key)
            if known is not None and (content is not None or key == "doubleValue"):
                values[known[0]] = known[1](content, depth + 1, converted)
        return values

    return read


def _field(descriptor: FieldDescriptor) -> Reader:
    one = _one(descriptor)
    if not descriptor.is_repeated:
        return one
    return _records(descriptor, one) if descriptor.name in RECORDS else _list(descriptor, one)


def _list(descriptor: FieldDescriptor, one: Reader) -> Reader:
    def read(value: object, depth: int, converted: Converted) -> list[Any]:
        if not isinstance(value, list):
            raise _BadValueError(f"{descriptor.json_name} must be an array, got {_kind(value)}")
        return [one(element, depth, converted) for element in value]

    return read


def _records(descriptor: FieldDescriptor, one: Reader) -> Reader:
    def read(value: object, depth: int, converted: Converted) -> list[Any]:
        if not isinstance(value, list):
            raise _BadValueError(f"{descriptor.json_name} must be an array, got {_kind(value)}")
        kept = []
        for element in value:
            try:
                kept.append(one(element, depth, converted))
            except _BadValueError as error:
                converted.rejected += 1
                converted.reason = converted.reason or str(error)
        return kept

    return read


def _one(descriptor: FieldDescriptor) -> Reader:
    kind = descriptor.type
    if descriptor.message_type is not None:
        return _message(descriptor.message_type)
    if descriptor.enum_type is not None:
        return _leaf(descriptor.json_name, _enum(descriptor.enum_type))
    if kind == FieldDescriptor.TYPE_BYTES:
        return _leaf(descriptor.json_name, _hex if descriptor.name in IDS else _base64)
    if kind in RANGES:
        return _leaf(descriptor.json_name, partial(_integer, *RANGES[kind]))
    return _leaf(descriptor.json_name, LEAVES[kind])


def _leaf(name: str, convert: Callable[[object], Any]) -> Reader:
    def read(value: object, _depth: int, _converted: Converted) -> Any:
        try:
            return convert(value)
        except _BadValueError as error:
            raise _BadValueError(f"{name} {error}") from error
        except (ValueError, OverflowError, InvalidOperation) as error:
            raise _BadValueError(f"{name} cannot be {_shown(value)}") from error

    return read


def _enum(enum: EnumDescriptor) -> Callable[[object], int]:
    numbers = {value.name: value.number for value in enum.values}

    def convert(value: object) -> int:
        return numbers[value] if isinstance(value, str) and value in numbers else _integer(-(2**31), 2**31 - 1, value)

    return convert


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise _BadValueError(f"must be a string, got {_kind(value)}")
    return value if value.isascii() else SURROGATE.sub("\ufffd", value)


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise _BadValueError(f"must be true or false, got {_shown(value)}")
    return value


def _integer(low: int, high: int, value: object) -> int:
    number = value if isinstance(value, int) and not isinstance(value, bool) else _whole(value)
    if not low <= number <= high:
        raise _BadValueError(f"must be from {low} to {high}, got {_shown(value)}")
    return number


def _whole(value: object) -> int:
    """The integer a float or a string stands for; the exponent is bounded before it is spelled out."""
    if isinstance(value, bool) or not isinstance(value, float | str):
        raise _BadValueError(f"must be an integer, got {_kind(value)}")
    number = Decimal(value)
    if not number.is_finite() or number.adjusted() > 20 or number != number.to_integral_value():
        raise _BadValueError(f"must be an integer, got {_shown(value)}")
    return int(number)


def _double(value: object) -> float:
    if value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise _BadValueError(f"must be a number, got {_kind(value)}")
    return float(value)


def _hex(value: object) -> bytes:
    if not isinstance(value, str):
        raise _BadValueError(f"must be hex, got {_kind(value)}")
    try:
        return binascii.unhexlify(value)
    except (ValueError, binascii.Error) as error:
        raise _BadValueError(f"must be hex, got {_shown(value)}") from error


def _base64(value: object) -> bytes:
    if not isinstance(value, str):
        raise _BadValueError(f"must be base64, got {_kind(value)}")
    text = value.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


LEAVES: Mapping[int, Callable[[object], Any]] = {
    FieldDescriptor.TYPE_STRING: _string,
    FieldDescriptor.TYPE_BOOL: _bool,
    FieldDescriptor.TYPE_DOUBLE: _double,
}


def _snake(camel: str) -> str:
    return re.sub("[A-Z]", lambda match: "_" + match[0].lower(), camel)


def _shown(value: object) -> str:
    return json.dumps(value)[:60]


def _kind(value: object) -> str:
    kinds: dict[type, str] = {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")
