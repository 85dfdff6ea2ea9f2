"""Rows of settlements that no reader sees any more: removed now and then, because removing them takes longer than settling.

Readers see the newest settlement of each hour only, and tables are sorted by it, so what stays behind for a while costs nothing
but disk.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

from tollbook_schema import cluster, sql
from tollbook_schema.store import Node, Store

from tollbook_attribution import days

EVERY_S: Final = 600.0
LATER: Final[Mapping[str, Any]] = {"lightweight_deletes_sync": 0}

SETTLED_TABLE: Final = "any_settled"
"""Stands for the name of a table in a question about any of them."""


class Removal:
    """What was settled again in a store, and when the rows before it were removed last."""

    _of: ClassVar["WeakKeyDictionary[Store, Removal]"] = WeakKeyDictionary()

    def __init__(self) -> None:
        self._windows: set[datetime] = set()
        self._at = 0.0
        self._first = True

    @classmethod
    def of(cls, store: Store) -> "Removal":
        """That of a store."""
        return cls._of.setdefault(store, cls())

    def note(self, windows: Iterable[datetime]) -> None:
        """These hours have been settled, perhaps again."""
        self._windows.update(windows)

    def run(self, store: Store, *, now: bool = False) -> None:
        """Has what is superseded removed, if it is time to; hours that an earlier process settled are looked up once.

        Days that are over are added up with it.

        Args:
            store: where.
            now: whether it is time, and the rows are gone on return. Else the database removes them when it comes to it, after a
                restart too: waiting for a table whose parts are being merged took longer than the settlement.
        """
        if not self._windows or not (now or time.monotonic() - self._at > EVERY_S or self._first):
            return
        if self._first:
            self._windows.update(row["window"].replace(tzinfo=UTC) for row in store.query(_query("settled_again.sql")))
        windows = sorted(self._windows)
        for node in (store.shard(number) for number in range(store.shards)):
            _remove(store, node, windows, {} if now else LATER)
        days.add_up(store)
        self._windows.clear()
        self._at, self._first = time.monotonic(), False


def _remove(store: Store, node: Node, windows: Sequence[datetime], settings: Mapping[str, Any]) -> None:
    hours: dict[str, Any] = {"seconds": [int(window.timestamp()) for window in windows]}
    kept = [row["settlement"] for row in store.query(_query("kept_settlements.sql"), hours)]
    bounds = {**hours, "first": windows[0], "last": windows[-1], "kept": kept}
    names = {row["name"].removesuffix(cluster.LOCAL) for row in node.query(_query("settled_tables.sql"))}
    for name in sorted(names):
        if node.query(_query("superseded.sql").replace(SETTLED_TABLE, name), bounds):
            node.command(_query("remove_superseded.sql").replace(SETTLED_TABLE, name), bounds, settings=settings)


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
