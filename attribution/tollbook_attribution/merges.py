"""Parts are merged when a large hour has been written, not while it is: what a range has just added is read by range anyway.

Those of work tables are never merged. Merging is not stopped for them: rows that a step deletes would wait for it, for ever.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tollbook_schema import cluster, sql
from tollbook_schema.store import Node, Store

ANY_TABLE = "any_table"
"""Stands for the name of a table in a statement about any of them."""

WORK = "work_"
"""What names of work tables begin with."""


@contextmanager
def put_off(store: Store, tables: Sequence[str]) -> Iterator[None]:
    """While it is entered, no parts of these tables are merged, nor rows deleted: these wait. Work tables go on as ever.

    Only where the database runs in this process, so that it ends with it; on a server, others might wait for ever.
    """
    if not store.embedded:
        yield
        return
    kept = [table for table in tables if not table.startswith(WORK)]
    try:
        _say(store, "merges_stop", kept)
        yield
    finally:
        _say(store, "merges_start", kept)


def never_of_work(node: Node) -> None:
    """From now on, no parts of work tables are merged: they go with the hour that they were written for."""
    for row in node.query(_query("work_tables_merged.sql")):
        node.command(_query("merges_never.sql").replace(ANY_TABLE, row["name"].removesuffix(cluster.LOCAL)))


def _say(store: Store, statement: str, tables: Sequence[str]) -> None:
    for table in tables:
        store.command(_query(f"{statement}.sql").replace(ANY_TABLE, table))


def _query(name: str) -> str:
    return sql.text("tollbook_attribution", f"queries/{name}")
