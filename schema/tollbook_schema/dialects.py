"""The table of dialects: how the SDKs of the field spell what a model call used, read from `registry/dialects.yaml`.

`generate.py` compiles it into SQL. A spelling gets a code, concept x 64 + place, so codes sort by preference; smaller numbers are
of dialects.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import yaml

PLACES = 64
"""Spellings that a concept may have."""


class DialectsError(Exception):
    """The table of dialects contradicts itself; the message names the place."""


@dataclass(frozen=True)
class Spelling:
    """One way to spell one concept."""

    key: str
    """An attribute's key, or `shape#path` of a member of JSON."""
    concept: str
    code: int
    dialect: str

    @property
    def attribute(self) -> str:
        """The attribute it is read from; empty where it is a member of JSON."""
        shape, _, path = self.key.rpartition("#")
        return "" if shape and shape != "claude_code" else path

    @property
    def path(self) -> str:
        """Where it stands in a usage body; empty where it is no member of one."""
        shape, _, path = self.key.rpartition("#")
        return path if shape == "usage" else ""


@dataclass(frozen=True)
class Record:
    """A log record that tells of a call."""

    event: str
    provider: str
    usage: Mapping[str, str]
    """What its own attributes are called in a usage body."""


@dataclass(frozen=True)
class Counter:
    """A metric that counts what calls came to."""

    name: str
    spelling: str
    """What it is told as; empty where an attribute of its points says of what it is."""
    provider: str
    aside: str
    """The server or gateway that counts for its clients; empty where the caller itself does."""
    beside: bool
    """Whether its output is told without its reasoning; its service tells the standard counter too, with less."""
    common: bool
    """Whether other things may be counted by that name."""


@dataclass(frozen=True)
class Answer:
    """An attribute that holds a whole answer."""

    key: str
    on: str
    """Another attribute of the span, which says whether it is a call."""
    pattern: str
    """What it says where it is."""
    ways: Mapping[str, list[list[str | int]]]
    """Where its usage and its words stand in it."""


@dataclass(frozen=True)
class Dialects:
    """The table, whole."""

    table: Mapping[str, Any]
    """As it stands in the file."""
    spellings: tuple[Spelling, ...]

    @property
    def concepts(self) -> dict[str, int]:
        """Number of each concept: counts first, then words."""
        return {concept: number for number, concept in enumerate((*self.table["counts"], *self.table["words"]), start=1)}

    @property
    def first_word(self) -> int:
        """Number of the first concept whose spellings hold words."""
        return len(self.table["counts"]) + 1

    @property
    def names(self) -> list[str]:
        """The dialects, the most telling first."""
        return [dialect["name"] for dialect in self.table["dialects"]]

    @property
    def json_keys(self) -> dict[str, str]:
        """Attributes that hold JSON, and in which shape; with a path where they hold a part of a body: `usage#cache_creation`."""
        whole = {key: shape for shape, keys in self.table["json"].items() for key in keys}
        steps = dict.fromkeys(s.path.partition(".")[0] for s in self.spellings if "." in s.path)
        known = {s.attribute for s in self.spellings}
        parts = {f"{before}{step}": f"usage#{step}" for before in self.table["flattened"]["before"] for step in steps}
        return {key: shape for key, shape in parts.items() if key not in known} | whole

    @property
    def flattened(self) -> dict[str, int]:
        """Attributes that are members of a usage body, and the codes of their paths."""
        known, never = {s.attribute for s in self.spellings}, self.table["flattened"]["never"]
        paths = {s.path: s.code for s in self.spellings if {"_", "."} & set(s.path) and s.concept not in never}
        keys = {f"{before}{path}": code for before in self.table["flattened"]["before"] for path, code in paths.items()}
        return {key: code for key, code in keys.items() if key not in known}

    @property
    def answers(self) -> list[Answer]:
        """Attributes that hold whole answers."""
        return [
            Answer(key, on, pattern, {name: ways for name, ways in answer.items() if name != "where"})
            for key, answer in self.table["answers"].items()
            for on, pattern in answer["where"].items()
        ]

    @property
    def records(self) -> list[Record]:
        """Log records that tell of calls."""
        return [Record(event, r.get("provider", ""), r.get("usage", {})) for event, r in self.table["records"].items()]

    @property
    def counters(self) -> list[Counter]:
        """Metrics that count what calls came to."""
        spelled = self.table["counter_spellings"]
        return [
            Counter(
                name,
                spelled[c["of"]] if "of" in c else "",
                c.get("provider", ""),
                c.get("aside", ""),
                c.get("beside", False),
                c.get("common", False),
            )
            for c in self.table["counters"]
            for name in c["names"]
        ]

    @property
    def markers(self) -> dict[str, str]:
        """Keys that only name a dialect, and which."""
        of_json = {key: self.table["json_dialects"].get(shape.partition("#")[0], "raw") for key, shape in self.json_keys.items()}
        markers = {key: dialect for dialect, keys in self.table["markers"].items() for key in keys}
        return (
            of_json
            | markers
            | {key: dialect for key in self.json_keys for dialect in self.names if key.startswith(f"{dialect}.")}
        )

    @property
    def told_keys(self) -> list[str]:
        """Every attribute that the table reads."""
        spelled = {s.attribute for s in self.spellings if s.attribute}
        return sorted(
            {*self.json_keys, *self.markers, *self.flattened, *spelled} | {k for a in self.answers for k in (a.key, a.on)}
        )

    @property
    def count_keys(self) -> list[str]:
        """The attributes that hold counts."""
        counts = {s.attribute for s in self.spellings if s.attribute and s.concept in self.table["counts"]}
        first_word = self.first_word * PLACES
        return sorted(
            counts
            | {key for key, code in self.flattened.items() if code < first_word}
            | {key for key, shape in self.json_keys.items() if shape.partition("#")[0] in ("usage", "mlflow")}
        )

    @property
    def model_keys(self) -> list[str]:
        """The attributes that name a model."""
        return [s.attribute for s in self.spellings if s.attribute and s.concept in ("request_model", "response_model")]

    @property
    def parameters(self) -> dict[str, Any]:
        """What steps of a settlement bind."""
        return {
            "dialects": self.version,
            "told_keys": self.told_keys,
            "count_keys": self.count_keys,
            "model_keys": self.model_keys,
            "local_providers": self.table["local"],
            "record_events": [record.event for record in self.records],
            "record_providers": [record.provider for record in self.records],
            "record_keys": [f"{record.event}#{key}" for record in self.records for key in record.usage],
            "record_paths": [path for record in self.records for path in record.usage.values()],
            **self._counting,
        }

    @property
    def _counting(self) -> dict[str, Any]:
        spelled, types = self.table["counter_spellings"], self.table["token_types"]
        return {
            "counter_names": [counter.name for counter in self.counters],
            "counter_common_names": [counter.name for counter in self.counters if counter.common],
            "counter_spellings": [counter.spelling for counter in self.counters],
            "counter_owners": [counter.provider for counter in self.counters],
            "counter_asides": [counter.aside for counter in self.counters],
            "counter_besides": [int(counter.beside) for counter in self.counters],
            "counter_models": self.table["counter_models"],
            "counter_providers": self.table["counter_providers"],
            "counter_types": self.table["counter_types"],
            "token_types": [word for words in types.values() for word in words],
            "token_spellings": [spelled[of] for of, words in types.items() for _ in words],
            "before_names": self.table["plain_names"]["before"],
            "after_names": self.table["plain_names"]["after"],
            "between": self.table["between"],
        }

    @property
    def version(self) -> str:
        """Changes whenever the table does."""
        return hashlib.sha256(_text().encode()).hexdigest()[:12]


@cache
def load() -> Dialects:
    """Reads the table.

    Raises:
        DialectsError: a spelling stands twice, a dialect is unknown, a rule names a spelling that no concept has.
    """
    table = yaml.safe_load(_text())
    dialects = Dialects(table, tuple(_spellings(table)))
    _check(dialects)
    return dialects


def _text() -> str:
    return (resources.files("tollbook_schema") / "registry" / "dialects.yaml").read_text(encoding="utf-8")


def _spellings(table: Mapping[str, Any]) -> Iterator[Spelling]:
    for number, (concept, by_dialect) in enumerate((table["counts"] | table["words"]).items(), start=1):
        for place, (dialect, key) in enumerate((d, key) for d, keys in by_dialect.items() for key in keys):
            if place >= PLACES:
                raise DialectsError(f"{concept} has more than {PLACES} spellings")
            yield Spelling(key, concept, number * PLACES + place, dialect)


def _check(dialects: Dialects) -> None:
    keys = [spelling.key for spelling in dialects.spellings]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise DialectsError(f"spelled twice: {', '.join(twice)}")
    unknown = {s.dialect for s in dialects.spellings} | set(dialects.table["markers"]) - set(dialects.names)
    if unknown - set(dialects.names):
        raise DialectsError(f"unknown dialect: {', '.join(sorted(unknown - set(dialects.names)))}")
    shapes = {key.split("#")[0] for key in keys if "#" in key} - {*dialects.table["json"], "claude_code"}
    if shapes:
        raise DialectsError(f"unknown shape: {', '.join(sorted(shapes))}")
    paths = {path for record in dialects.records for path in record.usage.values()} - {s.path for s in dialects.spellings}
    if paths:
        raise DialectsError(f"a log record has what no concept has in a usage body: {', '.join(sorted(paths))}")
    nameless = set(_named_by_rules(dialects.table)) - set(keys)
    if nameless:
        raise DialectsError(f"a rule names a spelling that no concept has: {', '.join(sorted(nameless))}")


def _named_by_rules(table: Mapping[str, Any]) -> Iterator[str]:
    cache_rule, reasoning = table["apart"]["cache"], table["apart"]["reasoning"]
    yield from (*cache_rule["spellings"], *cache_rule["beside"]["input"], *cache_rule["beside"]["parts"])
    yield from (key for rule in ("only_with", "counted_in") for keys in cache_rule[rule].values() for key in keys)
    yield from (*reasoning["spellings"], *reasoning["parts"], *table["disjoint"], *table["billed"], *table["sums"])
