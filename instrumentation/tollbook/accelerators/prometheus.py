"""Prometheus text to points. Pure, and patient: a line that is none is counted and left out, whatever stands in it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

MOST_LINES: Final = 500_000
LONGEST_LINE: Final = 16_384
MOST_LABELS: Final = 64

NAME: Final = re.compile(r"[ \t]*([a-zA-Z_:][a-zA-Z0-9_:]*)")
OPEN: Final = re.compile(r"[ \t]*\{[ \t]*")
LABEL: Final = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_.]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*')
TAIL: Final = re.compile(r"\s*(\S+)(?:\s+(-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?))?\s*(?:#.*)?$")
ESCAPES: Final = {"\\n": "\n", '\\"': '"', "\\\\": "\\"}


@dataclass(frozen=True)
class Point:
    """A value of a series."""

    name: str
    labels: Mapping[str, str]
    value: float
    time_ns: int = 0
    """0 where the text does not say."""


@dataclass
class Scrape:
    """What a text held."""

    points: list[Point] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)
    """counter, gauge, histogram, …, by the name of the family."""
    bad_lines: int = 0


def parse(text: str) -> Scrape:
    """Reads an exposition in Prometheus' text format or in OpenMetrics'."""
    found = Scrape()
    for number, line in enumerate(text.splitlines()):
        if number >= MOST_LINES:
            found.bad_lines += 1
            break
        if line.startswith("#"):
            words = line.split(None, 3)
            if len(words) == 4 and words[1] == "TYPE":
                found.types[words[2]] = words[3].strip().lower()
        elif line.strip():
            point = _point(line) if len(line) <= LONGEST_LINE else None
            if point is None:
                found.bad_lines += 1
            else:
                found.points.append(point)
    return found


def _point(line: str) -> Point | None:
    name = NAME.match(line)
    if name is None:
        return None
    place = name.end()
    labels: dict[str, str] = {}
    if opened := OPEN.match(line, place):
        read = _labels(line, opened.end())
        if read is None:
            return None
        labels, place = read
    tail = TAIL.match(line, place) if labels or opened or line[place : place + 1].isspace() else None
    value = None if tail is None else _value(tail[1])
    return None if tail is None or value is None else Point(name[1], labels, value, _nanoseconds(tail[2]))


def _labels(line: str, place: int) -> tuple[dict[str, str], int] | None:
    """The labels from there on, and where their brace has closed."""
    labels: dict[str, str] = {}
    while not line.startswith("}", place):
        label = LABEL.match(line, place)
        if label is None or len(labels) >= MOST_LABELS:
            return None
        labels[label[1]] = re.sub(r'\\[n"\\]', lambda found: ESCAPES[found[0]], label[2])
        place = label.end()
        if line.startswith(",", place):
            place = len(line) - len(line[place + 1 :].lstrip(" \t"))
        elif not line.startswith("}", place):
            return None
    return labels, place + 1


def _value(text: str) -> float | None:
    try:
        return float(text.replace("_", "x"))  # Python reads 1_000, Prometheus does not
    except ValueError:
        return None


def _nanoseconds(text: str | None) -> int:
    """Of a time in ms, or in OpenMetrics in s with a fraction; 0 for what lies outside of 1970 to 2262."""
    if not text:
        return 0
    number = float(text)
    nanoseconds = number * (1e9 if "." in text else 1e6)
    return int(nanoseconds) if 0 < nanoseconds < 2**63 else 0
