"""JSON whose values know the line that they stand on. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

SPACE = re.compile(r"[ \t\r\n]*")


class NotJsonError(ValueError):
    """A text that is no JSON; says where."""

    def __init__(self, message: str, text: str, at: int) -> None:
        super().__init__(message)
        self.line = text.count("\n", 0, at) + 1
        self.column = at - text.rfind("\n", 0, at)


@dataclass(frozen=True)
class Placed:
    """A value, and where in its text it stands."""

    text: str
    at: int
    line: int
    value: Any
    name: str = ""
    """Of a member of an object."""


def is_json(text: str) -> bool:
    """Whether a text means to be JSON."""
    return text.lstrip()[:1] in ("{", "[")


def values(text: str) -> Iterator[Placed]:
    """Values that stand one after another, as JSON lines do. Raises NotJsonError."""
    at, lines = _space(text, 0), _Lines(text)
    while at < len(text):
        value, end = _value(text, at)
        yield Placed(text, at, lines.at(at), value)
        at = _space(text, end)


def broken(text: str) -> NotJsonError | None:
    """Where a text is no JSON; None where it is."""
    try:
        for _ in values(text):
            pass
    except NotJsonError as error:
        return error
    return None


def document(placed: Placed) -> Iterator[Placed]:
    """What an array or an object holds. Raises NotJsonError."""
    return _inside(placed.text, placed.at, _Lines(placed.text, placed.at, placed.line))


def elements(text: str, at: int = 0) -> Iterator[tuple[int, Any]]:
    """(line, value) of each element of the array that begins at a place. Raises NotJsonError."""
    _after(text, _space(text, at), "[")
    return ((element.line, element.value) for element in _inside(text, _space(text, at), _Lines(text)))


def members(text: str, at: int = 0) -> Iterator[tuple[int, str, Any]]:
    """(line, name, value) of each member of the object that begins at a place. Raises NotJsonError."""
    _after(text, _space(text, at), "{")
    return ((member.line, member.name, member.value) for member in _inside(text, _space(text, at), _Lines(text)))


def objects(text: str) -> Iterator[tuple[int, Any]]:
    """(line, value) of values that stand one after another. Raises NotJsonError."""
    return ((found.line, found.value) for found in values(text))


def _inside(text: str, at: int, lines: "_Lines") -> Iterator[Placed]:
    """The elements of an array, or the members of an object."""
    last = "]" if text[at] == "[" else "}"
    at = _space(text, at + 1)
    if text[at : at + 1] == last:
        return
    while True:
        name, line = "", lines.at(at)
        if last == "}":
            name, end = _value(text, at)
            if not isinstance(name, str):
                raise NotJsonError("a name in quotes is expected", text, at)
            at = _after(text, _space(text, end), ":")
        value, end = _value(text, at)
        yield Placed(text, at, line, value, name)
        at = _space(text, end)
        if text[at : at + 1] == last:
            return
        at = _after(text, at, ",")


class _Lines:
    """Counts lines as a text is read on."""

    def __init__(self, text: str, at: int = 0, line: int = 1) -> None:
        self._text, self._at, self._line = text, at, line

    def at(self, place: int) -> int:
        """The line of a place, which lies not before the one asked about last."""
        self._line += self._text.count("\n", self._at, place)
        self._at = place
        return self._line


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise NotJsonError(error.msg, text, error.pos) from error
    except (ValueError, RecursionError) as error:
        raise NotJsonError(str(error), text, at) from error


def _after(text: str, at: int, sign: str) -> int:
    if text[at : at + 1] != sign:
        raise NotJsonError(f"{sign!r} is expected", text, min(at, len(text)))
    return _space(text, at + 1)


def _space(text: str, at: int) -> int:
    found = SPACE.match(text, at)
    return int(found.end()) if found else at


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_number)
