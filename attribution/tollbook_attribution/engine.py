"""Settlement: the numbered steps of `steps/`, run in order for every hour of every tenant that needs it.

A settlement writes its rows under a number of its own and then names itself in `settlements`; until that last row, readers
see the one before. So a step may fail, or the process may die, and nothing that readers see has changed.
"""

import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from importlib import metadata, resources
from typing import Any
from weakref import WeakSet

from tollbook_schema import dialects, lease, sql
from tollbook_schema.store import Node, QueryError, ShareError, Store

from tollbook_attribution import (
    due,
    edges,
    leftovers,
    long_spans,
    machine_names,
    merges,
    model_names,
    needs,
    price_list,
    ranges,
    service_prices,
    superseded,
    transfer_classes,
)
from tollbook_attribution.bills.reconcile import reconcile_all
from tollbook_attribution.pace import FULL, Pace

HOUR = timedelta(hours=1)
FIRST_WINDOW = datetime(1970, 1, 1, tzinfo=UTC)
LAST_WINDOW = datetime(2106, 2, 7, 5, tzinfo=UTC)
"""The last hour that ClickHouse's DateTime holds whole; what claims to be later is settled in it."""
END_OF_TIME = datetime(2262, 4, 11, 23, 47, 16, tzinfo=UTC)
"""The last second that nanoseconds since 1970 hold."""

MODELS_NAMED_AFTER = "20_usage.sql"
"""Step after which the model names of the window are known."""
CALLS = "work_calls"
"""Where they are."""

ASKS = re.compile(r"\A(?:\s|--[^\n]*\n)*(?:SELECT|WITH)\b")
"""A statement that only looks. It fails where what it sees must not be; the rest of its step is not run where it sees nothing."""

ABANDONED_NS = 24 * 3600 * 10**9
"""Age at which the rows that a killed settlement left are removed."""

_one_at_a_time = threading.Lock()
_prepared: "WeakSet[Node]" = WeakSet()
"""Nodes that have the work tables."""

Progress = Callable[[int, int, datetime], None]
"""Called with the number of windows settled, of windows to settle, and the window settled last."""


@dataclass(frozen=True)
class Unsettled:
    """An hour of one tenant to settle."""

    tenant: str
    window: datetime
    """Start of the hour."""
    facts: int
    """Rows counted in it."""
    newest: int
    """Its settlement in force, 0 for none; the next one is greater, whatever the clock says."""


@dataclass(frozen=True)
class Settlement:
    """What a run of `settle` came to."""

    windows: int
    """Hours settled, each tenant's counted."""
    spans: int
    calls: int
    """Model calls that count."""
    priced_calls: int
    unpriced_calls: int
    """Calls with tokens and no price. Local calls and calls without token counts are neither."""
    lines: int
    """Ledger lines written."""
    amount_usd: Decimal
    """Sum of the lines."""
    difference_usd: Decimal
    """What the sum of these hours has changed by since they were settled last."""
    unrated_hosts: int
    """Machines, once per hour, without an instance rate: their cost is unknown and not in the sum."""
    seconds: float


def settle(
    store: Store,
    since: datetime | None = None,
    until: datetime | None = None,
    progress: Progress | None = None,
    pace: Pace = FULL,
) -> Settlement:
    """Settles every hour whose facts have changed since it was settled last; with `since` or `until`, every hour between them.

    Safe to call again at any time: the same facts and prices give the same lines. One run at a time; a second one waits.

    Args:
        store: where the facts are and the ledger is.
        since: start of the first hour.
        until: end of the last hour.
        progress: told of each hour that is settled.
        pace: what it may take of the machine.

    Raises:
        lease.TakenError: another process settles on this server at present.
        QueryError, ShareError: hours could not be settled, of which the message names one; all others are.
        StoreError: the store failed; windows settled before it stay settled, the rest are taken up by the next call.
    """
    with _one_at_a_time, lease.held(store, "settlement") as held:
        started = time.monotonic()
        pace = _keeping(held, pace)
        _prepare(store)
        settled: dict[tuple[str, datetime], Mapping[str, Any]] = {}
        failed: dict[tuple[str, datetime], QueryError | ShareError] = {}
        rounds: tuple[Callable[[], list[Unsettled]], ...] = (
            lambda: windows_to_settle(store, since, until),
            lambda: _due(store),
            lambda: _billed(store) if settled else [],
        )
        for hours in (found() for found in rounds):
            for done, unsettled in enumerate(hours, start=1):
                key = (unsettled.tenant, unsettled.window)
                try:
                    settled[key] = _after(settled.get(key), settle_window(store, unsettled, pace))
                except (QueryError, ShareError) as error:  # of what is in this hour: all others, and other tenants, go on
                    failed[key] = error
                if progress:
                    progress(done, len(hours), unsettled.window)
        removal = superseded.Removal.of(store)
        removal.note(window for _, window in settled)
        removal.run(store)
        if failed:
            raise _not_settled(failed)
        return _summary(list(settled.values()), time.monotonic() - started)


def _not_settled(failed: Mapping[tuple[str, datetime], QueryError | ShareError]) -> QueryError | ShareError:
    """What to say of hours that could not be settled: why, of the first of them."""
    (tenant, window), error = next(iter(failed.items()))
    more = f", and {len(failed) - 1} more hours" if len(failed) > 1 else ""
    return type(error)(f"the hour of {window:%Y-%m-%d %H:%M} UTC of tenant {tenant}{more} cannot be settled: {error}")


def _keeping(held: lease.Lease | None, pace: Pace) -> Pace:
    """The same pace; the lease is kept however long the settlement works or waits."""

    def waits() -> bool:
        if held:
            held.keep()
        return pace.waits()

    return replace(pace, waits=waits)


def _due(store: Store) -> list[Unsettled]:
    """Hours to settle for what other hours have brought; see `due`."""
    hours = due.hours(store)
    if not hours:
        return []
    asked = {"tenants": [tenant for tenant, _ in hours], "seconds": [int(window.timestamp()) for _, window in hours]}
    return _still_whole(store, store.query(_query("hours.sql"), asked))


def _billed(store: Store) -> list[Unsettled]:
    """Hours to settle because bills say something else of them, now that others are settled; none where nothing has changed."""
    changed = [done.changed for done in reconcile_all(store)]
    return windows_to_settle(store) if any(changed) else []


def _still_whole(store: Store, rows: Iterable[Mapping[str, Any]]) -> list[Unsettled]:
    found = [Unsettled(row["tenant"], row["window"].replace(tzinfo=UTC), row["facts"], row["newest"]) for row in rows]
    return [unsettled for unsettled in found if not unsettled.newest or _whole(store, unsettled)]


def _after(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> Mapping[str, Any]:
    """What an hour came to that was settled twice in one run."""
    return {**now, "difference_usd": before["difference_usd"] + now["difference_usd"]} if before else now


@contextmanager
def paused() -> Iterator[None]:
    """While it is entered, this process settles nothing: for a backup. A settlement that runs is waited for."""
    with _one_at_a_time:
        yield


def windows_to_settle(store: Store, since: datetime | None = None, until: datetime | None = None) -> list[Unsettled]:
    """The hours that `settle` would settle, oldest first, tenant by tenant within an hour.

    An hour that was settled and has lost facts since, because they are kept for so many days only, stays as it is for ever: what
    is left of it would come to less.
    """
    bounds = {"since": _hour(since or FIRST_WINDOW), "until": until or LAST_WINDOW + HOUR, "all": bool(since or until)}
    return _still_whole(store, store.query(_query("windows.sql"), bounds))


def _whole(store: Store, unsettled: Unsettled) -> bool:
    """Whether all facts that were counted for the hour are still there."""
    hour = {
        "tenant": unsettled.tenant,
        "window": unsettled.window,
        "until": _end(unsettled.window),
        "record_events": dialects.load().parameters["record_events"],
    }
    return bool(store.query(_query("present.sql"), hour)[0]["facts"] >= unsettled.facts)


def settle_window(store: Store, unsettled: Unsettled, pace: Pace = FULL) -> Mapping[str, Any]:
    """Settles one hour and returns its row of `settlements`. All that is derived of the hour lies on one node of a cluster."""
    window = unsettled.window
    node = store.node(f"{unsettled.tenant} {window:%Y-%m-%dT%H}")
    settlement = max(time.time_ns(), unsettled.newest + 1)
    parameters: dict[str, Any] = {
        "tenant": unsettled.tenant,
        "window": window,
        "until": _end(window),
        "settlement": settlement,
        "facts": unsettled.facts,
        "book": price_list.version(),
        "program": metadata.version("tollbook"),
        **dialects.load().parameters,
        **edges.parameters(window, _end(window)),
        **transfer_classes.parameters(),
        **long_spans.parameters(settlement),
        **machine_names.NONE,
    }
    pace = pace.of_hour(unsettled.facts)
    hour = {name: parameters[name] for name in ("tenant", "window", "until")}
    pieces = ranges.of_window(node, hour, unsettled.facts, pace)
    held = needs.Holdings(node, parameters)
    if held.there(*machine_names.NEEDED_FOR):
        parameters |= machine_names.of_hour(node, parameters)
    with merges.put_off(store, pieces[0].tables):
        try:
            for step in steps():
                if held.has_work(step):
                    run_step(node, step, parameters, pieces, pace)
                    held.wrote(step)
                if step == edges.LOOKED_BY[-1] and held.there(edges.FOUND):
                    for beside in edges.hours_beside(parameters):
                        for taking_in in edges.TAKEN_IN_BY:
                            run_step(node, taking_in, {**beside, **ranges.Range().parameters}, [ranges.Range()], pace)
                if step == long_spans.FOUND_BY and held.there(long_spans.FOUND):
                    long_spans.take_in(node, parameters, lambda step, bound: run_step(node, step, bound, [ranges.Range()], pace))
                if step == MODELS_NAMED_AFTER and held.there(CALLS):
                    _name_models(store, node, parameters)
        finally:
            leftovers.remove(node, settlement, parameters["long"])  # before merges go on, which want the disk too
    return node.query(_query("settlement.sql"), parameters)[0]


def run_step(node: Node, step: str, parameters: Mapping[str, Any], pieces: list[ranges.Range], pace: Pace = FULL) -> None:
    """Runs a step once, or range by range where it relates rows of one trace only."""
    text = sql.text("tollbook_attribution", f"steps/{step}")

    def run(piece: ranges.Range) -> None:
        for statement in sql.statements(text):
            bound = _named(statement, {**parameters, **piece.parameters})
            while pace.waits():
                pass
            if ASKS.search(statement):
                if not node.query(statement, bound):  # what a failed question has written stays in a command's connection
                    return
            else:
                node.command(statement, bound, piece.filters, pace.settings)

    if len(pieces) == 1 or not ranges.is_trace_by_trace(text):
        run(ranges.Range())
    else:
        with ThreadPoolExecutor(pace.side_by_side) as pool:
            list(pool.map(run, pieces))


def _named(statement: str, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those that the statement binds: the table of dialects has thousands of words, and each statement would parse them all."""
    return {name: value for name, value in parameters.items() if f"{{{name}:" in statement}


@cache
def steps() -> tuple[str, ...]:
    """File names of the steps that settle a window, in order."""
    return _files("steps")


def _prepare(store: Store) -> None:
    """Prices and work tables are there; what a killed process left in them is gone."""
    price_list.seed(store)
    service_prices.seed(store)
    for node in (store.shard(number) for number in range(store.shards)):
        if node not in _prepared:
            for name in _files("work"):
                _run(node, f"work/{name}", {})
            merges.never_of_work(node)
            _prepared.add(node)
        leftovers.remove(node, 0, time.time_ns() - ABANDONED_NS)


def _files(folder: str) -> tuple[str, ...]:
    names = (file.name for file in (resources.files("tollbook_attribution") / folder).iterdir())
    return tuple(sorted(name for name in names if name.endswith(".sql")))


def _name_models(store: Store, node: Node, parameters: Mapping[str, Any]) -> None:
    rows = node.query(_query("new_model_names.sql"), parameters)
    if rows:
        model_names.name_models(store, [(row["provider"], row["model"]) for row in rows])


def _run(node: Node, name: str, parameters: Mapping[str, Any]) -> None:
    for statement in sql.statements(sql.text("tollbook_attribution", name)):
        node.command(statement, parameters)


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")


def _end(window: datetime) -> datetime:
    return END_OF_TIME if window == LAST_WINDOW else window + HOUR


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _summary(results: list[Mapping[str, Any]], seconds: float) -> Settlement:
    return Settlement(
        windows=len(results),
        spans=sum(result["spans"] for result in results),
        calls=sum(result["calls"] for result in results),
        priced_calls=sum(result["priced_calls"] for result in results),
        unpriced_calls=sum(result["unpriced_calls"] for result in results),
        lines=sum(result["lines"] for result in results),
        amount_usd=sum((result["amount_usd"] for result in results), Decimal(0)),
        difference_usd=sum((result["difference_usd"] for result in results), Decimal(0)),
        unrated_hosts=sum(result["unrated_hosts"] for result in results),
        seconds=seconds,
    )
