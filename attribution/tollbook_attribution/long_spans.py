"""Spans that go on past the hour they began in: a later hour takes them in for the time that they ran in it.

They are read from the facts of the hours that they began in, as these say them, so that no hour asks another. On the way they
lie in the work tables under numbers of their own, right after that of the settlement.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from tollbook_schema import sql
from tollbook_schema.store import Node

FOUND: Final = "work_long_spans"
"""Where those are that ran in the hour."""

FOUND_BY: Final = "39_long_spans_1_found.sql"
"""Step after which they are known, and are to be taken in."""

TAKEN_IN_BY: Final = ("06_doubled.sql", "08_owners.sql", "10_spans.sql")
"""Steps that say what happened in the hours that they began in."""

HOURS: Final = 168
"""Most hours that a span goes on: `long_spans` has none that is longer than seven days."""

HOUR: Final = timedelta(hours=1)


def parameters(settlement: int) -> Mapping[str, Any]:
    """What steps bind of them: the number that those are under which ran in the hour, cut to it."""
    return {"long": last_number(settlement)}


def last_number(settlement: int) -> int:
    """The last of the numbers that the work tables of a settlement have rows under."""
    return settlement + HOURS + 1


def hours_before(node: Node, bound: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What the steps that take spans in bind for each hour that such a span began in."""
    for place, row in enumerate(node.query(_query("long_span_hours.sql"), {"settlement": bound["settlement"]}), start=1):
        began = bound["window"] - HOUR * int(row["hours_ago"])
        taken = {**bound, "settlement": bound["settlement"] + place, "window": began, "until": began + HOUR, "neighbours": True}
        asked = {name: taken[name] for name in ("settlement", "window")}
        node.command(_query("long_span_traces.sql"), {**asked, "of": bound["settlement"]})
        yield taken


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
