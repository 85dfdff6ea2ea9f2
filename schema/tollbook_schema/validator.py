"""What an emitter says, held against the vocabulary. Pure: records in, problems out.

A namespace is owned where an unknown name in it is a mistake: all of `tollbook.*` is in the registry; names of `gen_ai.*` and
`hw.*` are known from the registry, the table of dialects and OpenTelemetry's conventions. In others anybody says what they like.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher, get_close_matches
from functools import cache
from typing import Any

from opentelemetry.semconv._incubating.attributes import gen_ai_attributes, hw_attributes

from tollbook_schema import dialects
from tollbook_schema import registry as vocabulary
from tollbook_schema.registry import Attribute

OWNED = ("tollbook.", "gen_ai.", "hw.")
SPELT_LIKE = ("tollbook", "gen_ai")
"""Namespaces that a name may be near to by a slip: `tolbook.team`. `hw` is too short for that."""

NEAR, NEARER = 0.8, 0.9
"""How like, 0 to 1, a known name must be to be proposed; and for a name that is not in our namespaces."""

MOST_OF_A_VALUE = 40

ACCEPTED = {"double": ("double", "int")}
"""Types of values that are taken for an attribute's type, where it is not that type alone."""


@dataclass(frozen=True)
class Record:
    """A span, an event, a point of a metric, a log record or a resource, as far as it is validated."""

    signal: str
    """`traces`, `metrics` or `logs`; empty for a resource or a scope."""
    service: str
    name: str
    attributes: Mapping[str, object]


@dataclass(frozen=True)
class Problem:
    """One mistake, however often it was made."""

    attribute: str
    problem: str
    count: int
    first_name: str
    """Name of the first span, metric or log record that has it."""
    first_service: str


class Validator:
    """Finds what is wrong with records and counts it, in the order it was found."""

    def __init__(self) -> None:
        registry = _registry()
        self._attributes = {attribute.key: attribute for attribute in registry.attributes}
        self._metrics = {metric.name for metric in registry.metrics}
        self._required = {span.name: span.required for span in registry.spans}
        self._open = tuple(f"{attribute.key}." for attribute in registry.attributes if attribute.content)
        self._known = _known()
        self._names: dict[str, str] = {}
        self._found: dict[tuple[str, str], Problem] = {}

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found so far."""
        return tuple(self._found.values())

    def check(self, record: Record) -> None:
        """Adds what is wrong with a record."""
        for attribute, problem in self._of(record):
            known = self._found.setdefault((attribute, problem), Problem(attribute, problem, 0, record.name, record.service))
            self._found[attribute, problem] = replace(known, count=known.count + 1)

    def _of(self, record: Record) -> Iterator[tuple[str, str]]:
        if record.signal == "metrics" and record.name.startswith("tollbook.") and record.name not in self._metrics:
            yield record.name, f"unknown metric{_proposed(record.name, self._metrics)}"
        for key, value in record.attributes.items():
            attribute = self._attributes.get(key)
            problem = _value_problem(attribute, value) if attribute else self._name_problem(key)
            if problem:
                yield key, problem
        if record.signal == "traces":
            for key in self._required.get(f"tollbook.{record.attributes.get('tollbook.kind')}", ()):
                if key not in record.attributes:
                    yield key, f"missing, and required of tollbook.{record.attributes['tollbook.kind']}"

    def _name_problem(self, key: str) -> str:
        if key not in self._names:
            self._names[key] = self._new_name_problem(key)
        return self._names[key]

    def _new_name_problem(self, key: str) -> str:
        if key in self._known or key.startswith(self._open):
            return ""
        if key.startswith(OWNED):
            return f"unknown attribute{_proposed(key, self._known)}"
        namespace = key.partition(".")[0]
        slip = any(SequenceMatcher(None, namespace, ours).ratio() >= NEAR for ours in SPELT_LIKE)
        nearest = _proposed(key, self._known, NEARER) if slip else ""
        return f"unknown attribute{nearest}" if nearest else ""


_registry = cache(vocabulary.load)


@cache
def _known() -> frozenset[str]:
    """All names that are no mistake: the registry's with their other spellings, the dialects', OpenTelemetry's."""
    table = dialects.load().table
    spellings = set(_texts(table))
    paths = {text.removeprefix("usage#") for text in spellings if text.startswith("usage#")}
    flattened = {f"{before}{path}" for before in table["flattened"]["before"] for path in paths}
    ours = {name for attribute in _registry().attributes for name in (attribute.key, *attribute.aliases)}
    conventions = {
        str(value) for module in (gen_ai_attributes, hw_attributes) for name, value in vars(module).items() if name.isupper()
    }
    names = ours | flattened | conventions | {text.partition("#")[0] for text in spellings}
    return frozenset(name for name in names if name.startswith(OWNED) and not name.endswith("."))


def _texts(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, Mapping):
        for branch in tree.values():
            yield from _texts(branch)
    elif isinstance(tree, list):
        for branch in tree:
            yield from _texts(branch)


def _proposed(name: str, known: Iterable[str], cutoff: float = NEAR) -> str:
    nearest = get_close_matches(name, sorted(known), n=2, cutoff=cutoff)
    return f", did you mean {' or '.join(nearest)}?" if nearest else ""


def _value_problem(attribute: Attribute, value: object) -> str:
    told = _type(value)
    accepted = ACCEPTED.get(attribute.type, (attribute.type,)) + (("string[]",) if attribute.lists else ())
    if value is None or attribute.type == "any":
        return ""
    if told not in accepted:
        return f"is {told}, should be {' or '.join(accepted)}"
    members = [member.value for member in attribute.members]
    if members and value not in members:
        near = get_close_matches(str(value), members, n=1)
        return f"{str(value)[:MOST_OF_A_VALUE]!r} is none of {', '.join(members)}" + (
            f"; did you mean {near[0]}?" if near else ""
        )
    return ""


def _type(value: object) -> str:
    """The type in the registry's words; `list` and `map` where it has none."""
    if isinstance(value, list):
        return "string[]" if all(isinstance(item, str) for item in value) else "list"
    types = {bool: "boolean", int: "int", float: "double", str: "string", dict: "map", bytes: "bytes"}
    return types.get(type(value), "nothing")
