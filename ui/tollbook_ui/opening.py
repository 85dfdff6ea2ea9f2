"""The store of a server, opened and brought into shape by a thread while the rest of the server's code is still being imported.

Opening takes as long as importing, and most of it runs in ClickHouse beside Python: together they take two thirds of the time.
"""

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from tollbook_schema import retention
from tollbook_schema.store import Store, StoreUnavailableError

from tollbook_ui import locate
from tollbook_ui.settings import Settings

COLLECT = "tollbook collect"


class ServeError(Exception):
    """The server cannot start; the message is one line for the person who started it."""


@dataclass(frozen=True)
class Options:
    """How to serve."""

    data: Path
    """Folder of spool, lock and embedded database."""
    clickhouse_url: str = ""
    """A ClickHouse server to use instead of the embedded database."""
    clickhouse_cluster: str = ""
    """Name of the cluster that the servers of the URL are."""
    collect_only: bool = False
    """Receive and load, and leave settlement, API and dashboard to others."""
    host: str = "127.0.0.1"
    port: int = 4318
    """Of OTLP/HTTP, API and dashboard; 0 takes any free one."""
    any_port: bool = False
    """Take free ports where these are taken."""
    dashboard: bool = True
    settle_seconds: float = 30
    settings: Settings = field(default_factory=Settings)
    """Who is let in, TLS and signing in; what stands above goes before it."""


@dataclass(frozen=True)
class Opened:
    """An open store."""

    store: Store
    away: StoreUnavailableError | None
    """Why servers could not be brought into shape yet; an embedded database always is."""


class Opening:
    """Holds the data folder while the block runs, and opens its store."""

    def __init__(self, options: Options) -> None:
        """Takes the folder and begins.

        Raises:
            ServeError: the folder is somebody else's at present, or cannot be used.
        """
        self.claim = _claimed(options)
        self._taken = False
        self._thread = ThreadPoolExecutor(1, "tollbook-opening")
        self._engine = self._thread.submit(_open, options)
        self._opened = self._thread.submit(_in_shape, self._engine, options)

    async def engine(self) -> None:
        """Waits until the database's engine is there: from then on Python's own share of opening is done.

        Raises:
            StoreError: it cannot be opened.
        """
        await asyncio.wrap_future(self._engine)

    async def opened(self) -> Opened:
        """The store, which is the caller's from here on.

        Raises:
            StoreError: it cannot be opened.
        """
        self._taken = True
        return await asyncio.wrap_future(self._opened)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._thread.shutdown()
        if not self._taken and self._opened.exception() is None:
            self._opened.result().store.close()
        self.claim.close()


def shape(store: Store, options: Options) -> None:
    """Brings the store's tables to this version's shape.

    Raises:
        StoreError: the store cannot do it at present, or is of a newer version.
    """
    store.migrate()
    if not options.collect_only:
        retention.apply(store, options.settings.retention)


def _open(options: Options) -> Store:
    url = options.clickhouse_url or None
    return Store.open(None if url else options.data, url, options.clickhouse_cluster, wait=False)


def _in_shape(opening: Future[Store], options: Options) -> Opened:
    store = opening.result()
    with ExitStack() as stack:
        stack.callback(store.close)
        away = None
        try:
            shape(store, options)
        except StoreUnavailableError as error:
            if store.embedded:
                raise
            away = error
        stack.pop_all()
        return Opened(store, away)


def _claimed(options: Options) -> locate.Claim:
    data = options.data
    try:
        return locate.Claim(data, COLLECT if options.collect_only else locate.UP)
    except locate.TakenError as error:
        raise ServeError(f"{error}; stop it first, or give this one another folder with --data") from error
    except OSError as error:
        raise ServeError(f"cannot use the data folder {data}: {error.strerror}") from error
