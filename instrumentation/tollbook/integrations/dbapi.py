"""Drivers of databases: sqlite3, psycopg, psycopg2 and PyMySQL. Each statement is a handoff, with the rows that are read.

Connections and cursors stay instances of the driver's own classes: where a driver takes classes for them (sqlite3, psycopg2), it
gets subclasses; of the others, the functions are wrapped.
"""

import os
import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from types import ModuleType
from typing import Any, ClassVar, Final
from weakref import WeakKeyDictionary

from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.sql import Database, Handovers, Query, handovers, running
from tollbook.shield import shielded
from tollbook.steps import Steps

_PARAMETERS: Final = ("parameters", "params", "vars", "vars_list", "args", "params_seq")

_queries: "WeakKeyDictionary[Any, Query]" = WeakKeyDictionary()
"""By cursor, the statement whose rows are still read."""

Locate = Callable[[Any], Database]
"""Where a cursor's statements go."""


# What every cursor does.


def _begun(  # noqa: PLR0917 - what a wrapper is given, and what is wrapped
    cursor: Any, kinds: Handovers, locate: Locate, args: tuple[Any, ...], kwargs: Mapping[str, Any], many: bool
) -> Query | None:
    """The statement that is run now; the one before on this cursor ends."""
    _end(cursor)
    with shielded("look at a statement of a driver"):
        text = args[0] if args else kwargs.get("query", kwargs.get("operation", kwargs.get("sql")))
        query = None if text is None else Query.begin(kinds, text, lambda: locate(cursor))
        if query is not None:
            parameters = args[1] if len(args) > 1 else next((kwargs[name] for name in _PARAMETERS if name in kwargs), None)
            query.sends(None if many and isinstance(parameters, Iterator) else parameters, many)
        return query
    return None


def _ran(cursor: Any, query: Query) -> None:
    with shielded("look at a result of a driver"):
        if query.ran(cursor.description, cursor.rowcount):
            _queries[cursor] = query
            weakref.finalize(cursor, query.end)


def _end(cursor: Any) -> None:
    with shielded("end a statement of a driver"):
        query = _queries.pop(cursor, None)
        if query is not None:
            query.end()


def _fetched(cursor: Any, rows: Sequence[Any], over: bool) -> None:
    with shielded("count rows of a driver"):
        query = _queries.get(cursor)
        if query is not None and not query.reading:
            query.fetched(rows)
            if over:
                _end(cursor)


def _running(kinds: Handovers, locate: Locate, many: bool) -> Wrapper:
    def run(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        query = _begun(cursor, kinds, locate, args, kwargs, many)
        if query is None:
            return wrapped(*args, **kwargs)
        with running(query):
            result = wrapped(*args, **kwargs)
        _ran(cursor, query)
        return result

    return run


def _running_async(kinds: Handovers, locate: Locate, many: bool) -> Wrapper:
    async def run(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        query = _begun(cursor, kinds, locate, args, kwargs, many)
        if query is None:
            return await wrapped(*args, **kwargs)
        with query.ending_on_error():
            result = await Steps(wrapped(*args, **kwargs), query.handle)
        _ran(cursor, query)
        return result

    return run


def _fetch_one(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    row = wrapped(*args, **kwargs)
    _fetched(cursor, [] if row is None else [row], row is None)
    return row


def _fetch_several(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rows = wrapped(*args, **kwargs)
    _fetched(cursor, rows, not rows)
    return rows


def _fetch_all(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rows = wrapped(*args, **kwargs)
    _fetched(cursor, rows, over=True)
    return rows


def _next(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        row = wrapped(*args, **kwargs)
    except StopIteration:
        _end(cursor)
        raise
    _fetched(cursor, [row], over=False)
    return row


def _close(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _end(cursor)
    return wrapped(*args, **kwargs)


def _iterated(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`__iter__`, where it is a generator."""
    rows = wrapped(*args, **kwargs)

    def counted() -> Iterator[Any]:
        for row in rows:
            _fetched(cursor, [row], over=False)
            yield row
        _end(cursor)

    return counted()


async def _next_async(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        row = await wrapped(*args, **kwargs)
    except StopAsyncIteration:
        _end(cursor)
        raise
    _fetched(cursor, [row], over=False)
    return row


def _iterated_async(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rows = wrapped(*args, **kwargs)

    async def counted() -> AsyncIterator[Any]:
        async for row in rows:
            _fetched(cursor, [row], over=False)
            yield row
        _end(cursor)

    return counted()


async def _fetch_one_async(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    row = await wrapped(*args, **kwargs)
    _fetched(cursor, [] if row is None else [row], row is None)
    return row


async def _fetch_several_async(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rows = await wrapped(*args, **kwargs)
    _fetched(cursor, rows, not rows)
    return rows


async def _fetch_all_async(wrapped: Callable[..., Any], cursor: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rows = await wrapped(*args, **kwargs)
    _fetched(cursor, rows, over=True)
    return rows


def _functions(kinds: Handovers, locate: Locate) -> dict[str, Wrapper]:
    """What is wrapped of a class of cursors."""
    return {
        "execute": _running(kinds, locate, many=False),
        "executemany": _running(kinds, locate, many=True),
        "fetchone": _fetch_one,
        "fetchmany": _fetch_several,
        "fetchall": _fetch_all,
        "close": _close,
    }


@lru_cache(64)
def _seen(kind: type, make: Callable[[], Mapping[str, Wrapper]]) -> type:
    """A class of cursors, or one of connections, that looks like the driver's own and tells of what runs."""

    def calling(name: str, wrapper: Wrapper) -> Callable[..., Any]:
        theirs = getattr(kind, name)

        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            return wrapper(theirs.__get__(self), self, args, kwargs)

        method.__name__, method.__qualname__, method.__doc__ = name, f"{kind.__qualname__}.{name}", theirs.__doc__
        return method

    said = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind,), {**said, **{name: calling(name, wrapper) for name, wrapper in make().items()}})


# sqlite3


_SQLITE: Final = handovers(["opentelemetry.instrumentation.sqlite3"])
_files: "WeakKeyDictionary[Any, Database]" = WeakKeyDictionary()
"""By connection, the file that it opened."""


def _sqlite_database(cursor: Any) -> Database:
    return _files[cursor.connection]


def _sqlite_cursors() -> dict[str, Wrapper]:
    return {**_functions(_SQLITE, _sqlite_database), "__next__": _next}


def _sqlite_connections() -> dict[str, Wrapper]:
    return {
        "__init__": _sqlite_opened,
        "cursor": _sqlite_cursor,
        "execute": _sqlite_short("execute"),
        "executemany": _sqlite_short("executemany"),
    }


def _sqlite_opened(wrapped: Callable[..., Any], connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with shielded("look at a connection of sqlite3"):
        path = os.fsdecode(args[0] if args else kwargs["database"])
        path = path.removeprefix("file:").partition("?")[0] if kwargs.get("uri") or (len(args) > 7 and args[7]) else path
        _files[connection] = Database("sqlite", os.path.basename(path))  # noqa: PTH119
    return result


def _sqlite_cursor(wrapped: Callable[..., Any], _connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    import sqlite3  # noqa: PLC0415 - it is imported already

    with shielded("make a cursor of sqlite3"):
        factory = args[0] if args else kwargs.get("factory", sqlite3.Cursor)
        if isinstance(factory, type) and issubclass(factory, sqlite3.Cursor):
            args, kwargs = (_seen(factory, _sqlite_cursors),), {}
    return wrapped(*args, **kwargs)


def _sqlite_short(name: str) -> Wrapper:
    """`connection.execute` makes a cursor in C, without asking for ours."""

    def run(_wrapped: Callable[..., Any], connection: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return getattr(connection.cursor(), name)(*args, **kwargs)

    return run


def _sqlite_connect(wrapped: Callable[..., Any], _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`sqlite3.connect(…, factory=…)`."""
    import sqlite3  # noqa: PLC0415

    with shielded("open a connection of sqlite3"):
        factory = args[5] if len(args) > 5 else kwargs.get("factory", sqlite3.Connection)
        if isinstance(factory, type) and issubclass(factory, sqlite3.Connection):
            known: Any = factory
            seen = _seen(known, _sqlite_connections)
            args, kwargs = (args, {**kwargs, "factory": seen}) if len(args) <= 5 else ((*args[:5], seen, *args[6:]), kwargs)
    return wrapped(*args, **kwargs)


class Sqlite3Instrumentor(Integration):
    """Instruments sqlite3: connections that are opened from now on."""

    library = "sqlite3"
    wrappers: ClassVar = {"sqlite3": {"connect": _sqlite_connect}, "sqlite3.dbapi2": {"connect": _sqlite_connect}}


# PostgreSQL


_PSYCOPG: Final = handovers(["opentelemetry.instrumentation.psycopg"])
_PSYCOPG2: Final = handovers(["opentelemetry.instrumentation.psycopg2"])


def _postgres_database(cursor: Any) -> Database:
    info = cursor.connection.info
    host = info.host or None
    return Database("postgresql", str(info.dbname or ""), host, int(info.port) if info.port else None)


def _psycopg2_cursors() -> dict[str, Wrapper]:
    return {**_functions(_PSYCOPG2, _postgres_database), "__next__": _next}


def _psycopg2_connect(wrapped: Callable[..., Any], _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`psycopg2.connect`: its cursors are made by the connection's class for them."""
    connection = wrapped(*args, **kwargs)
    with shielded("open a connection of psycopg2"):
        cursors = sys.modules["psycopg2.extensions"].cursor
        connection.cursor_factory = _seen(connection.cursor_factory or cursors, _psycopg2_cursors)
    return connection


class Psycopg2Instrumentor(Integration):
    """Instruments psycopg2: connections that are opened from now on."""

    library = "psycopg2"
    wrappers: ClassVar = {"psycopg2": {"connect": _psycopg2_connect}}


class PsycopgInstrumentor(Integration):
    """Instruments psycopg 3, asynchronous cursors too."""

    library = "psycopg"
    wrappers: ClassVar = {
        "psycopg.cursor": {f"Cursor.{name}": wrapper for name, wrapper in _functions(_PSYCOPG, _postgres_database).items()},
        "psycopg.cursor_async": {
            "AsyncCursor.execute": _running_async(_PSYCOPG, _postgres_database, many=False),
            "AsyncCursor.executemany": _running_async(_PSYCOPG, _postgres_database, many=True),
            "AsyncCursor.fetchone": _fetch_one_async,
            "AsyncCursor.fetchmany": _fetch_several_async,
            "AsyncCursor.fetchall": _fetch_all_async,
        },
    }

    def wrappers_of(self, module: ModuleType) -> Mapping[str, Wrapper]:
        """Cursors are iterators since psycopg 3.3, before they made generators."""
        if module.__name__ == "psycopg.cursor":
            steps: dict[str, Wrapper] = {"Cursor.__next__": _next, "Cursor.__iter__": _iterated}
            way = "Cursor.__next__" if hasattr(module.Cursor, "__next__") else "Cursor.__iter__"
        else:
            steps = {"AsyncCursor.__anext__": _next_async, "AsyncCursor.__aiter__": _iterated_async}
            way = "AsyncCursor.__anext__" if hasattr(module.AsyncCursor, "__anext__") else "AsyncCursor.__aiter__"
        return {**super().wrappers_of(module), way: steps[way]}


# MySQL


_MYSQL: Final = handovers(["opentelemetry.instrumentation.pymysql"])


def _mysql_database(cursor: Any) -> Database:
    connection = cursor.connection
    name = connection.db.decode(errors="replace") if isinstance(connection.db, bytes) else str(connection.db or "")
    return Database("mysql", name, str(connection.host) if connection.host else None, int(connection.port))


class PyMySQLInstrumentor(Integration):
    """Instruments PyMySQL, its cursors that stream too."""

    library = "pymysql"
    wrappers: ClassVar = {
        "pymysql.cursors": {
            **{f"Cursor.{name}": wrapper for name, wrapper in _functions(_MYSQL, _mysql_database).items()},
            "SSCursor.fetchone": _fetch_one,
            "SSCursor.fetchmany": _fetch_several,
            "SSCursor.fetchall": _fetch_all,
        }
    }
