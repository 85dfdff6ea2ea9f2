"""SQLAlchemy: a span for each statement that an engine runs, with the rows that are read of it, whichever driver it stands on."""

import os
import weakref
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final

from opentelemetry import trace

from tollbook.integrations.base import Integration
from tollbook.integrations.sql import Database, Query, handovers, running
from tollbook.shield import shielded

_KINDS: Final = handovers(["opentelemetry.instrumentation.sqlalchemy"])
_QUERY: Final = "_tollbook_query"


def _database(context: Any) -> Database:
    """Where a statement goes, by the engine's URL. The user and the password in it are not looked at."""
    engine = context.engine
    known: Database | None = engine.__dict__.get("_tollbook_database")
    if known is None:
        url, system = engine.url, str(engine.dialect.name)
        name = str(url.database or "")
        if system == "sqlite":
            name = os.path.basename(name) if name not in {"", ":memory:"} else ":memory:"  # noqa: PTH119
        known = engine.__dict__["_tollbook_database"] = Database(system, name, url.host, url.port)
    return known


def _execute(many: bool, has_parameters: bool = True) -> Callable[..., Any]:
    """`do_execute` and its like: what runs between the events of the engine, so that contrib's span is there already."""

    def run(wrapped: Callable[..., Any], _dialect: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        query = _begun(args, kwargs, many, has_parameters)
        if query is None:
            return wrapped(*args, **kwargs)
        with running(query):
            result = wrapped(*args, **kwargs)
        with shielded("look at a statement of SQLAlchemy"):
            cursor = args[0]
            query.ran(getattr(cursor, "description", None), getattr(cursor, "rowcount", None))
        return result

    return run


def _begun(args: tuple[Any, ...], kwargs: dict[str, Any], many: bool, has_parameters: bool) -> Query | None:
    with shielded("begin a statement of SQLAlchemy"):
        place = 3 if has_parameters else 2
        context = args[place] if len(args) > place else kwargs.get("context")
        if context is None:
            return None
        contribs = getattr(context, "_otel_span", None) or trace.INVALID_SPAN
        if contribs.is_recording():
            with trace.use_span(contribs, end_on_exit=False, record_exception=False, set_status_on_exception=False):
                query = Query.begin(_KINDS, args[1], lambda: _database(context))
        else:
            query = Query.begin(_KINDS, args[1], lambda: _database(context))
        if query is None:
            return None
        if has_parameters and len(args) > 2:
            query.sends(args[2], many)
        before = getattr(context, _QUERY, None)
        if before is not None:  # rows inserted in several batches: each is a statement
            before.end()
        setattr(context, _QUERY, query)
        weakref.finalize(context, query.end)
        return query
    return None


def _query_of(result: Any) -> Query | None:
    with shielded("find a statement of SQLAlchemy"):
        query: Query | None = getattr(getattr(result, "context", None), _QUERY, None)
        return query
    return None


def _fetched_one(wrapped: Callable[..., Any], _strategy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    row = wrapped(*args, **kwargs)
    _count(args, [] if row is None else [row])
    return row


def _fetched_many(wrapped: Callable[..., Any], _strategy: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """The rows come after the cursor was closed behind them: the span's end waits for their count."""
    query = _query_of(args[0]) if args else None
    if query is not None:
        query.reading += 1
    try:
        rows = wrapped(*args, **kwargs)
    finally:
        if query is not None:
            query.reading -= 1
    _count(args, rows)
    if query is not None and query.over and not query.reading:
        query.end()
    return rows


def _count(args: tuple[Any, ...], rows: Sequence[Any]) -> None:
    with shielded("count rows of SQLAlchemy"):
        query = _query_of(args[0])
        if query is not None and not query.reading:
            query.fetched(rows)


def _closed(wrapped: Callable[..., Any], result: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`_soft_close`: the last row was read, or the result was closed."""
    done = wrapped(*args, **kwargs)
    with shielded("close a result of SQLAlchemy"):
        query = _query_of(result)
        if query is not None:
            query.over = True
            if not query.reading:
                query.end()
    return done


_FETCHING: Final = {"fetchone": _fetched_one, "fetchmany": _fetched_many, "fetchall": _fetched_many}


class SQLAlchemyInstrumentor(Integration):
    """Instruments SQLAlchemy's engines, asynchronous ones too, and what stands on them: its ORM, pandas."""

    library = "sqlalchemy"
    wrappers: ClassVar = {
        "sqlalchemy.engine.default": {
            "DefaultDialect.do_execute": _execute(many=False),
            "DefaultDialect.do_executemany": _execute(many=True),
            "DefaultDialect.do_execute_no_params": _execute(many=False, has_parameters=False),
        },
        "sqlalchemy.engine.cursor": {
            **{
                f"{strategy}.{method}": wrapper
                for strategy in ("CursorFetchStrategy", "BufferedRowCursorFetchStrategy", "FullyBufferedCursorFetchStrategy")
                for method, wrapper in _FETCHING.items()
            },
            "CursorResult._soft_close": _closed,
        },
    }
