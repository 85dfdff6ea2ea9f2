"""Ranges of trace ids: what relates spans of one trace only is settled range by range, so that any hour fits in memory."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from tollbook_schema import cluster, sql
from tollbook_schema.store import Node

from tollbook_attribution.pace import FULL, Pace

SPANS_AT_A_TIME = 512 * 1024
"""Spans of one range. Its hash tables stay small: an hour of 10 M spans takes less memory and less CPU than in one piece."""

TRACE_BY_TRACE = re.compile(r"^-- Trace by trace\b", re.MULTILINE)
"""Says in the header of a step that it relates rows of one trace only."""

FIRST, LAST = f"{0:032x}", "f" * 32


@dataclass(frozen=True)
class Range:
    """Traces whose ids lie between two ids, both included."""

    first: str = FIRST
    """In hexadecimal, as all ids here."""
    last: str = LAST
    tables: tuple[str, ...] = field(default=(), repr=False)
    """Tables of which a statement sees no other rows than those of these traces; none where the range is everything."""

    @property
    def parameters(self) -> Mapping[str, str]:
        """What a step binds that reads facts, which are not confined: `trace_id BETWEEN unhex({first_trace:String}) AND …`."""
        return {"first_trace": self.first, "last_trace": self.last}

    @property
    def filters(self) -> Mapping[str, str]:
        """The rows that a statement sees, by table."""
        return dict.fromkeys(self.tables, f"trace_id BETWEEN unhex('{self.first}') AND unhex('{self.last}')")


def is_trace_by_trace(step: str) -> bool:
    """Whether the text of a step says that it relates rows of one trace only."""
    return bool(TRACE_BY_TRACE.search(step))


def of_window(node: Node, window: Mapping[str, Any], facts: int, pace: Pace = FULL) -> list[Range]:
    """The ranges that an hour is settled in: one of everything, and of a large hour an even number for those settled at a time.

    Args:
        node: where the hour is settled.
        window: tenant, window and until.
        facts: how many it has of any kind.
        pace: how many are settled at a time, and how many times fewer spans they hold than they may.
    """
    spans = max(1, SPANS_AT_A_TIME // pace.finer)
    if facts <= spans:
        return [Range()]
    sizes = {"spans_at_a_time": spans, "side_by_side": pace.side_by_side}
    ends = node.query(_query("trace_ranges.sql"), {**window, **sizes})[0]["ends"]
    if not ends:
        return [Range()]
    names = {row["name"].removesuffix(cluster.LOCAL) for row in node.query(_query("tables_of_traces.sql"))}
    tables = tuple(sorted(names))
    return [Range(first, last, tables) for first, last in _between(ends)]


def _between(ends: list[str]) -> Iterator[tuple[str, str]]:
    """First and last id of each range; `ends` are in order and differ."""
    bounds = [-1, *(int(end, 16) for end in ends), int(LAST, 16)]
    for before, last in pairwise(bounds):
        if last > before:
            yield f"{before + 1:032x}", f"{last:032x}"


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
