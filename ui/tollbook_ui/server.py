"""`tollbook up`: receiver, loader, settlement, API and dashboard as one process, because one process owns the data folder."""

import asyncio
import contextlib
import errno
import importlib
import importlib.util
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from tollbook_collector import otlp_http
from tollbook_collector.collector import Collector
from tollbook_collector.settings import Settings as CollectorSettings
from tollbook_schema.store import Store

from tollbook_ui import __version__, answers, api, doctor, locate
from tollbook_ui.front import Front, OwnHostOnly
from tollbook_ui.idle import Idler
from tollbook_ui.settler import Settler

log = logging.getLogger("tollbook")

STOP_SECONDS = 5
"""For the loader and for a settlement that runs, each; with the rest the process ends within 10 s of SIGTERM."""

BACKLOG = 2048

NOT_INSTALLED = "not installed: pip install 'tollbook[dashboard]'"


class ServeError(Exception):
    """The server cannot start; the message is one line for the person who started it."""


@dataclass(frozen=True)
class Options:
    """How to serve."""

    data: Path
    """Folder of spool, lock and embedded database."""
    clickhouse_url: str = ""
    """A ClickHouse server to use instead of the embedded database."""
    host: str = "127.0.0.1"
    port: int = 4318
    """Of OTLP/HTTP, API and dashboard; 0 takes any free one."""
    any_port: bool = False
    """Take free ports where these are taken."""
    dashboard: bool = True
    settle_seconds: float = 30


@dataclass(frozen=True)
class Addresses:
    """Where a server that is up answers."""

    url: str
    grpc_port: int | None
    grpc_host: str
    data: Path
    moved: tuple[str, ...]
    """A sentence for each port that was taken."""
    dashboard: str
    """Its address, or why there is none."""


Say = Callable[[Addresses], None]


def run(options: Options, collector_settings: CollectorSettings, say: Say) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        options: how to serve.
        collector_settings: how the collector takes, keeps and loads.
        say: called once everything answers.

    Raises:
        ServeError: it cannot start.
        StoreError: the store cannot be opened.
    """
    asyncio.run(serve(options, collector_settings, say))


async def serve(options: Options, collector_settings: CollectorSettings, say: Say) -> None:
    """As `run`, in the event loop of the caller."""
    with _claimed(options.data) as claim, _listening(options) as listener:
        async with contextlib.AsyncExitStack() as stack:
            store = await _opened(options, stack)
            collector = await _collecting(store, options, collector_settings, stack)
            settler = Settler(store, options.settle_seconds, behind=lambda: collector.behind)
            stack.push_async_callback(asyncio.to_thread, settler.stop, STOP_SECONDS)
            found = answers.Answers(store)
            answers.set_current(found)
            stack.callback(answers.set_current, None)
            app = api.create(found, _settling(settler), lambda: doctor.examine(found, options.data, settler.trouble))
            app.router.routes.extend(otlp_http.routes(collector))
            front = Front(wanted=options.dashboard)
            app.mount("/", front)
            server = _Server(uvicorn.Config(OwnHostOnly(app, options.host), log_config=None, access_log=False, lifespan="off",
                                            backlog=BACKLOG, timeout_graceful_shutdown=2))  # fmt: skip
            stack.enter_context(_stopped_by_signals(server))
            serving = asyncio.create_task(server.serve([listener]))
            await _until_started(server, serving)
            settler.start()
            stack.enter_context(Idler())
            addresses = _addresses(listener, collector, options, collector_settings.grpc_port)
            claim.publish(_written_down(addresses))
            say(addresses)
            if options.dashboard:
                await stack.enter_async_context(_dashboard(app, front))
            await serving


def _claimed(data: Path) -> locate.Claim:
    try:
        return locate.Claim(data, locate.UP)
    except locate.TakenError as error:
        raise ServeError(f"{error}; stop it first, or give this one another folder with --data") from error
    except OSError as error:
        raise ServeError(f"cannot use the data folder {data}: {error.strerror}") from error


@contextlib.contextmanager
def _listening(options: Options) -> Iterator[socket.socket]:
    """A socket that takes connections from now on; they are answered once everything is open."""
    listener = _bound(options.host, options.port)
    if listener is None and options.any_port:
        listener = _bound(options.host, 0)
    if listener is None:
        raise ServeError(_taken(options.host, options.port, "--port"))
    with listener:
        listener.listen(BACKLOG)
        yield listener


def _taken(host: str, port: int, flag: str) -> str:
    return f"port {port} on {host} is taken; free it, choose another with {flag}, or let --any-port choose"


def _bound(host: str, port: int) -> socket.socket | None:
    """A socket bound to the address, or none where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            return None
        raise ServeError(f"cannot listen on {host} port {port}: {error.strerror}") from error
    return listener


async def _opened(options: Options, stack: contextlib.AsyncExitStack) -> Store:
    url = options.clickhouse_url or None
    store = await asyncio.to_thread(Store.open, None if url else options.data, url)
    stack.push_async_callback(asyncio.to_thread, store.close)
    await asyncio.to_thread(store.migrate)
    return store


async def _collecting(store: Store, options: Options, settings: CollectorSettings, stack: contextlib.AsyncExitStack) -> Collector:
    """A collector that takes requests; on another gRPC port where the one wished for is taken and any will do."""
    settings = replace(settings, stop_seconds=min(settings.stop_seconds, STOP_SECONDS))
    taken = settings.grpc_port > 0 and not _free(settings.grpc_host, settings.grpc_port)
    if taken and not options.any_port:
        raise ServeError(_taken(settings.grpc_host, settings.grpc_port, "--grpc-port"))
    collector = Collector(store, options.data / "spool", replace(settings, grpc_port=0) if taken else settings)
    await collector.start()
    stack.push_async_callback(collector.stop)
    return collector


def _free(host: str, port: int) -> bool:
    listener = _bound(host, port)
    if listener is not None:
        listener.close()
    return listener is not None


def _settling(settler: Settler) -> api.Settle:
    async def settle(since: datetime | None, until: datetime | None) -> Any:
        return await asyncio.to_thread(settler.now, since, until)

    return settle


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn's own handling would end the process before the spool is loaded."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    def stop(*_: object) -> None:
        server.should_exit = True

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _until_started(server: uvicorn.Server, serving: "asyncio.Task[None]") -> None:
    while not server.started:
        if serving.done():
            await serving
            raise ServeError("the server ended before it had started")
        await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def _dashboard(app: FastAPI, front: Front) -> AsyncIterator[None]:
    """The dashboard while it is entered; imported only now, because Streamlit takes seconds that the first span need not wait."""
    if importlib.util.find_spec("streamlit") is None:
        front.close(f"The dashboard is {NOT_INSTALLED}.")
        yield
        return
    mount = await asyncio.to_thread(importlib.import_module, "tollbook_ui.dashboard.mount")
    streamlit_app = mount.streamlit_app()
    async with streamlit_app.lifespan()(app):
        front.open(streamlit_app)
        yield


def _addresses(listener: socket.socket, collector: Collector, options: Options, wished_grpc_port: int) -> Addresses:
    port = listener.getsockname()[1]
    host = "127.0.0.1" if options.host in ("0.0.0.0", "::", "") else options.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    dashboard = url if options.dashboard else "switched off"
    if options.dashboard and importlib.util.find_spec("streamlit") is None:
        dashboard = NOT_INSTALLED
    moved = []
    if options.port not in (0, port):
        moved.append(f"port {options.port} is taken: OTLP/HTTP, API and dashboard are on {port}")
    if collector.grpc_port is not None and wished_grpc_port not in (0, collector.grpc_port):
        moved.append(f"port {wished_grpc_port} is taken: OTLP/gRPC is on {collector.grpc_port}")
    return Addresses(url, collector.grpc_port, collector.settings.grpc_host, options.data, tuple(moved), dashboard)


def _written_down(addresses: Addresses) -> locate.Server:
    return locate.Server(os.getpid(), addresses.url, addresses.grpc_port, __version__, datetime.now(UTC).isoformat())
