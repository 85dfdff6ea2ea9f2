"""What cost can be grouped and filtered by, and how that reaches a query: as names of columns and lists of values. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tollbook_schema.attributes import OWNER_COLUMNS

from tollbook_ui import figures as f
from tollbook_ui.periods import BadQuestionError

TIMES = ("hour", "day", "week", "month")
OWNERS = (*OWNER_COLUMNS, "tenant", "service", "version", "site")
KEYS = (
    *OWNERS,
    "model",
    "provider",
    "category",
    "allocation",
    "item",
    "resource",
    "basis",
    "waste",
    "account",
    "region",
    "currency",
    "simulated",
    *TIMES,
)
"""Columns of the question `cost_by`."""

OF_REQUESTS = frozenset({*OWNER_COLUMNS, "tenant", "service", "site", *TIMES})
"""Keys that a whole request has one value of."""

OF_CALLS = frozenset({*OWNER_COLUMNS, "tenant", "service", "model", "provider", "category", "allocation", "simulated", *TIMES})
"""Keys that a model call has a value of, priced or not."""

NOTHING = "nothing"
"""Column that is empty everywhere, for a place in a query that is not used."""

MOST_KEYS = 5
MOST_FILTERS = 6

SAME = {"service_name": "service", "service_version": "version"}
"""What else a key may be called."""


def checked(by: Iterable[str]) -> tuple[str, ...]:
    """Keys to group by, each once.

    Raises:
        BadQuestionError: there is no such key, or there are too many.
    """
    found = tuple(dict.fromkeys(known(key) for key in by if key.strip()))
    if len(found) > MOST_KEYS:
        raise BadQuestionError(f"cost is grouped by {MOST_KEYS} keys at most, not by {len(found)}")
    return found


def known(key: str) -> str:
    """The key by the name it has here.

    Raises:
        BadQuestionError: there is no such key.
    """
    plain = key.strip().lower()
    plain = SAME.get(plain, plain)
    if plain not in KEYS:
        raise BadQuestionError(f"no key {plain[:60]!r}; use {', '.join(KEYS)}")
    return plain


def filters(scope: f.Scope, where: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Values that each key may have: those of the scope, and `KEY=VALUE` as people write it. A key given twice may have either.

    Raises:
        BadQuestionError: something is no `KEY=VALUE`, or there are too many keys.
    """
    values: dict[str, list[str]] = defaultdict(list)
    for key in ("service", *OWNER_COLUMNS):
        if (value := getattr(scope, key)) is not None:
            values[key].append(value)
    for text in where:
        key, equals, value = text.partition("=")
        if not equals:
            raise BadQuestionError(f"a filter is written KEY=VALUE, not {text[:60]!r}")
        values[known(key)].append(value.strip())
    if len(values) > MOST_FILTERS:
        raise BadQuestionError(f"cost is filtered by {MOST_FILTERS} keys at most, not by {len(values)}")
    return {key: tuple(dict.fromkeys(found)) for key, found in values.items()}


def bound(by: Sequence[str], wanted: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Parameters of a query that groups by `key1` to `key5` and keeps what has one of `values1` to `values6`."""
    grouped = [*by, *[NOTHING] * (MOST_KEYS - len(by))]
    kept = [*wanted.items(), *[(NOTHING, ("",))] * (MOST_FILTERS - len(wanted))]
    return {
        **{f"key{place}": key for place, key in enumerate(grouped, start=1)},
        **{f"filter{place}": key for place, (key, _) in enumerate(kept, start=1)},
        **{f"values{place}": list(values) for place, (_, values) in enumerate(kept, start=1)},
    }


def all_in(names: Iterable[str], keys: frozenset[str]) -> bool:
    """Whether all of these keys are among the others."""
    return keys.issuperset(names)


OF_LINES_ONLY = frozenset({"customer", "resource"})
"""Keys of which there are so many values that the hourly sums leave them out."""


def source(names: Iterable[str]) -> dict[str, str]:
    """Where a question about money by these keys reads: the hourly sums, or, for keys these do not have, the ledger's lines."""
    if OF_LINES_ONLY.isdisjoint(names):
        return {"source": "costs", "customer": "team", "resource": "team"}  # neither is asked for
    return {"source": "ledger", "customer": "customer", "resource": "resource"}
