"""What the steps of an hour need: a step whose header names what is not there has no work, and is left out.

A header says `-- Where there is: a, b`: a step has work only where one of these is there, of each such line one. A word is a
work table, which is there where this settlement has written rows to it, or one that `queries/holds.sql` finds.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from tollbook_schema import sql
from tollbook_schema.store import Node

from tollbook_attribution.merges import ANY_TABLE

NEEDS: Final = re.compile(r"^-- Where there is: (\w+(?:, \w+)*)$", re.MULTILINE)
WRITES: Final = re.compile(r"\bINSERT INTO (work_\w+)")

LAST_HOUR: Final = 23
"""Of a day, UTC."""

COUNTED_UP_TO: Final = 500_000
"""Facts of an hour in which spans and traces that stand twice are looked for; in larger ones there are some."""


@cache
def words_of(step: str) -> tuple[tuple[str, ...], ...]:
    """The words of each line in the header of a step that says what it needs."""
    return tuple(tuple(line.split(", ")) for line in NEEDS.findall(_text(step)))


class Holdings:
    """What one hour holds while it is settled: its facts, asked once, and the work tables that have got rows."""

    def __init__(self, node: Node, parameters: Mapping[str, Any]) -> None:
        self._node = node
        self._settlement = parameters["settlement"]
        questions = ["holds", *(["holds_at_the_end_of_the_day"] if parameters["window"].hour == LAST_HOUR else [])]
        self._there = {row["word"] for name in questions for row in node.query(_query(f"{name}.sql"), _bound(parameters))}
        self._unsure: set[str] = set()

    def has_work(self, step: str) -> bool:
        """Whether there is what the header of a step says that it needs."""
        return all(self.there(*words) for words in words_of(step))

    def there(self, *words: str) -> bool:
        """Whether one of these is there."""
        return not self._there.isdisjoint(words) or any(self._got_rows(word) for word in words if word in self._unsure)

    def wrote(self, step: str) -> None:
        """Notes that this step has run: the work tables that it writes to may have rows now."""
        self._unsure |= _tables_of(step) - self._there

    def _got_rows(self, table: str) -> bool:
        self._unsure.remove(table)
        found = bool(self._node.query(_query("found.sql").replace(ANY_TABLE, table), {"settlement": self._settlement}))
        if found:
            self._there.add(table)
        return found


@cache
def _tables_of(step: str) -> frozenset[str]:
    return frozenset(WRITES.findall(_text(step)))


def _text(step: str) -> str:
    return sql.text("tollbook_attribution", f"steps/{step}")


def _bound(parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    asked = {name: parameters[name] for name in ("tenant", "window", "until", "before", "after")}
    return {**asked, "counted": parameters["facts"] <= COUNTED_UP_TO}


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
