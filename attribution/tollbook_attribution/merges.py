"""Parts are merged when a large hour has been written, not while it is: what a range has just added is read by range anyway."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tollbook_schema import sql
from tollbook_schema.store import Store

ANY_TABLE = "any_table"
"""Stands for the name of a table in a statement about any of them."""


@contextmanager
def put_off(store: Store, tables: Sequence[str]) -> Iterator[None]:
    """While it is entered, no parts of these tables are merged, nor rows deleted: these wait.

    Only where the database runs in this process, so that it ends with it; on a server, others might wait for ever.
    """
    if not store.embedded:
        yield
        return
    try:
        _say(store, "merges_stop", tables)
        yield
    finally:
        _say(store, "merges_start", tables)


def _say(store: Store, statement: str, tables: Sequence[str]) -> None:
    text = sql.text("tollbook_attribution", f"queries/{statement}.sql")
    for table in tables:
        store.command(text.replace(ANY_TABLE, table))
