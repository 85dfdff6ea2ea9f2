"""JSON whose values know the line that they stand on. Pure."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NoReturn

SPACE = re.compile(r"[ \t\r\n]*")


class NotJsonError(ValueError):
    """A text that is no JSON; says where."""

    def __init__(self, message: str, text: str, at: int) -> None:
        super().__init__(message)
        self.line = text.count("\n", 0, at) + 1
        self.column = at - text.rfind("\n", 0, at)


def is_json(text: str) -> bool:
    """Whether a text means to be JSON."""
    return text.lstrip()[:1] in ("{", "[")


def elements(text: str, at: int = 0) -> Iterator[tuple[int, Any]]:
    """(line, value) of each element of the array that begins at a place. Raises NotJsonError."""
    at = _after(text, _space(text, at), "[")
    if text[at : at + 1] == "]":
        return
    lines = _Lines(text)
    while True:
        value, end = _value(text, at)
        yield lines.at(at), value
        at = _space(text, end)
        if text[at : at + 1] == "]":
            return
        at = _after(text, at, ",")


def members(text: str, at: int = 0) -> Iterator[tuple[int, str, Any]]:
    """(line, name, value) of each member of the object that begins at a place. Raises NotJsonError."""
    at = _after(text, _space(text, at), "{")
    if text[at : at + 1] == "}":
        return
    lines = _Lines(text)
    while True:
        name, end = _value(text, at)
        if not isinstance(name, str):
            raise NotJsonError("a name in quotes is expected", text, at)
        line = lines.at(at)
        value, end = _value(text, _after(text, _space(text, end), ":"))
        yield line, name, value
        at = _space(text, end)
        if text[at : at + 1] == "}":
            return
        at = _after(text, at, ",")


def objects(text: str) -> Iterator[tuple[int, Any]]:
    """(line, value) of values that stand one after another, as JSON lines do. Raises NotJsonError."""
    at, lines = _space(text, 0), _Lines(text)
    while at < len(text):
        value, end = _value(text, at)
        yield lines.at(at), value
        at = _space(text, end)


class _Lines:
    """Counts lines as a text is read on."""

    def __init__(self, text: str) -> None:
        self._text, self._at, self._line = text, 0, 1

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
