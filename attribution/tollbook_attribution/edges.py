"""The edges of an hour: calls told of on both sides are looked at whole, and each hour keeps what began in it.

Which span of a call counts is decided by all spans that tell of it. Where some began before the edge of an hour and some after,
both hours take in the other's spans of such traces, decide alike, and let them go again. So no hour asks another.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from tollbook_schema import dialects, sql
from tollbook_schema.store import Node, Store

from tollbook_attribution.merges import ANY_TABLE

LOOKED_BY: Final = ("17_edges_1_facts.sql", "17_edges_2_traces.sql", "17_edges_3_seen.sql")
"""Steps after which the traces are known that are told of on both sides."""

FOUND: Final = "work_edges"
"""Where these traces are."""

TAKEN_IN_BY: Final = ("06_doubled.sql", "10_spans.sql")
"""Steps that say what happened: in the hour itself, and then in the hours beside."""

HOUR: Final = timedelta(hours=1)

LOOKED_AT_IN: Final = ("work_beside_facts", "work_beside", FOUND)

Hour = tuple[str, datetime]
"""A tenant and the start of an hour."""


def home(store: Store, tenant: str, window: datetime) -> Node:
    """Where all that is derived of an hour lies."""
    return store.node(f"{tenant} {window:%Y-%m-%dT%H}")


def parameters(window: datetime, until: datetime) -> Mapping[str, Any]:
    """What steps bind of the hours beside: where the one before begins, and where the one after ends."""
    return {
        "before": window - HOUR if window.timestamp() > 0 else window,
        "after": until if until - window > HOUR else until + HOUR,
        "neighbours": False,
    }


def hours_beside(bound: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What the steps that take spans in bind for the hours before and after."""
    for since, until in ((bound["before"], bound["window"]), (bound["until"], bound["after"])):
        if since < until:
            yield {**bound, "window": since, "until": until, "neighbours": True}


def changed(store: Store) -> list[Hour]:
    """Settled hours that would take in other spans from the hours beside than they did: these have come since."""
    for row in store.query(_query("edges_moved.sql")):
        _look(store, row["tenant"], row["window"].replace(tzinfo=UTC))
    return [(row["tenant"], row["window"].replace(tzinfo=UTC)) for row in store.query(_query("edges_differ.sql"))]


def _look(store: Store, tenant: str, window: datetime) -> None:
    """Notes what an hour would take in, under a number that no settlement has."""
    node, until = home(store, tenant, window), window + HOUR
    bound = {
        "tenant": tenant,
        "window": window,
        "until": until,
        "settlement": time.time_ns(),
        **parameters(window, until),
        **dialects.load().parameters,
    }
    try:
        for step in LOOKED_BY:
            for statement in sql.statements(sql.text("tollbook_attribution", f"steps/{step}")):
                node.command(statement, bound)
    finally:
        for table in LOOKED_AT_IN:
            node.command(_query("work_done.sql").replace(ANY_TABLE, table), bound)


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
