"""Spans that go on past the hour they began in: a later hour takes them in for the time that they ran in it.

They are read from the facts of the hours that they began in, as these say them, so that no hour asks another. On the way they
lie in the work tables under numbers of their own, right after that of the settlement.
"""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tollbook_schema import dialects, sql
from tollbook_schema.store import Node, Store

from tollbook_attribution import edges, leftovers, machine_names, ranges

FOUND: Final = "work_long_spans"
"""Where those are that ran in the hour."""

FOUND_BY: Final = "39_long_spans_1_found.sql"
"""Step after which they are known, and are to be taken in."""

SEEN_BY: Final = "39_long_spans_2_seen.sql"
"""Step that says what was seen of the hours that they began in."""

TAKEN_IN_BY: Final = ("06_doubled.sql", "08_owners.sql", "10_spans.sql")
"""Steps that say what happened in the hours that they began in."""

TAKEN_FOR: Final = ("long_span_traces.sql", "long_span_hosts.sql")
"""What says first which traces are taken in, and what is known of the machines that their spans ran on."""

HOURS: Final = 168
"""Most hours that a span goes on: `long_spans` has none that is longer than seven days."""

HOUR: Final = timedelta(hours=1)

Run = Callable[[str, Mapping[str, Any]], None]
"""Runs a step with what it binds."""


def parameters(settlement: int) -> Mapping[str, Any]:
    """What steps bind of them: the number that those are under which ran in the hour, cut to it."""
    return {"long": last_number(settlement)}


def last_number(settlement: int) -> int:
    """The last of the numbers that the work tables of a settlement have rows under."""
    return settlement + HOURS + 1


def take_in(node: Node, bound: Mapping[str, Any], run: Run) -> None:
    """Takes in their traces' spans of each hour that such spans began in, under a number of its own."""
    found = node.query(_query("long_span_hours.sql"), {"settlement": bound["settlement"]})
    for place, row in enumerate(found, start=1):
        began = bound["window"] - HOUR * int(row["hours_ago"])
        number = bound["settlement"] + place
        before = {**bound, "settlement": number, "window": began, "until": began + HOUR, "neighbours": True}
        asked = {name: before[name] for name in ("tenant", "settlement", "window", "until")}
        for question in TAKEN_FOR:
            node.command(_query(question), {**asked, "of": bound["settlement"]})
        for step in TAKEN_IN_BY:
            run(step, {**before, **ranges.Range().parameters})


def changed(store: Store) -> list[edges.Hour]:
    """Settled hours that would see something else of the hours that such spans began in than they did: more has come since."""
    for row in store.query(_query("long_spans_moved.sql")):
        _look(store, row["tenant"], row["window"].replace(tzinfo=UTC))
    return [(row["tenant"], row["window"].replace(tzinfo=UTC)) for row in store.query(_query("long_spans_differ.sql"))]


def _look(store: Store, tenant: str, window: datetime) -> None:
    """Notes what an hour would see, under a number that no settlement has."""
    node, until, settlement = edges.home(store, tenant, window), window + HOUR, time.time_ns()
    bound = {
        "tenant": tenant,
        "window": window,
        "until": until,
        "settlement": settlement,
        **edges.parameters(window, until),
        **dialects.load().parameters,
        **parameters(settlement),
    }
    bound |= machine_names.of_hour(node, bound)

    def run(step: str, bound: Mapping[str, Any]) -> None:
        for statement in sql.statements(sql.text("tollbook_attribution", f"steps/{step}")):
            node.command(statement, bound)

    try:
        run(FOUND_BY, bound)
        take_in(node, bound, run)
        run(SEEN_BY, bound)
    finally:
        leftovers.remove(node, settlement, last_number(settlement))


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
