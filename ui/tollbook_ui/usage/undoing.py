"""An import of usage that is taken back: one with a wrong mapping, and one that was not finished."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tollbook_schema import sql
from tollbook_schema.store import Store

SCOPE = "tollbook.usage"
"""Name of the scope of spans that come of usage files."""

ABANDONED_NS = 3_600 * 10**9
"""After so long nobody on a server still reads a file: other processes may import there, and 5,000,000 rows take minutes."""

_running: set[int] = set()
_changing = threading.Lock()


@contextmanager
def running(import_id: int) -> Iterator[None]:
    """What is staged within the block is not taken for abandoned."""
    with _changing:
        _running.add(import_id)
    try:
        yield
    finally:
        with _changing:
            _running.discard(import_id)


@contextmanager
def whole(store: Store, import_id: int) -> Iterator[None]:
    """What the block stores of an import is taken back where the block does not end well."""
    done = False
    try:
        yield
        done = True
    finally:
        if not done:
            take_back(store, import_id)


def take_back(store: Store, import_id: int) -> None:
    """Removes the calls of an import and its record; their hours are settled again. Doing it twice changes nothing."""
    ids = {"import_id": import_id, "scope": SCOPE}
    store.command(_query("undo_hours").replace("any_import", str(import_id)), ids)
    for shard in range(store.shards):
        store.shard(shard).command(_query("undo_calls"), ids)
    for shard in range(store.shards):
        store.shard(shard).command(_query("undo_record"), {"import_id": import_id})


def built_upon(store: Store, tenant: str, import_id: int) -> int | None:
    """The latest import that counted on from what this one told of a bucket; None where there is none."""
    found = store.query(_query("built_upon"), {"tenant": tenant, "scope": SCOPE, "import_id": import_id})
    return found[0]["import_id"] if found else None


def take_back_unfinished(store: Store) -> None:
    """Takes back what imports left whose process ended within them: rows that are staged, and calls that were stored already."""
    node = store.shard(0)
    with _changing:
        staged = [row["import_id"] for row in node.query(_query("unfinished"))]
        reading = {running + step for running in _running for step in range(3)}
    newest = time.time_ns() - (0 if store.embedded else ABANDONED_NS)
    left = [import_id for import_id in staged if import_id not in reading and import_id < newest]
    recorded = {row["import_id"] for row in store.query(_query("recorded"), {"import_ids": left})} if left else ()
    for import_id in left:
        if import_id not in recorded and not {import_id - 1, import_id - 2} & {*left}:
            take_back(store, import_id)
        node.command(_query("forget"), {"import_id": import_id})


def _query(name: str) -> str:
    return sql.text("tollbook_ui", f"usage/queries/{name}.sql")
