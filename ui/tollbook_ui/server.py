"""`tollbook up`: receiver, loader, settlement, API and dashboard as one process, because one process owns the data folder."""

import asyncio
import contextlib
import errno
import gc
import importlib
import importlib.util
import logging
import os
import secrets
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.types import ASGIApp
from tollbook_collector import otlp_http
from tollbook_collector.collector import Collector
from tollbook_collector.connection import Connection, allow_files, keep_freed_memory
from tollbook_collector.settings import Settings as CollectorSettings
from tollbook_collector.tls import Tls
from tollbook_schema.keys import Keys
from tollbook_schema.store import DiskFailedError, Store, StoreError

from tollbook_ui import __version__, locate
from tollbook_ui.doors import Doors, OwnHostOnly
from tollbook_ui.idle import Idler
from tollbook_ui.keyring import KEYS_FILE
from tollbook_ui.opening import Opening, Options, ServeError, shape
from tollbook_ui.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from tollbook_ui.front import Front

log = logging.getLogger("tollbook")

STOP_SECONDS = 5
"""For the loader and for a settlement that runs, each; with the rest the process ends within 10 s of SIGTERM."""

DISK_SECONDS = 5.0
"""Pause between looks at the disk under the database."""

BACKLOG = 2048

RETRY_SECONDS = 5.0
"""Pause between tries to reach servers that were away at the start."""

KEEP_ALIVE_SECONDS = 65
"""How long an idle connection is kept. Exporters send every 5 to 60 seconds; one that meets a closed one may lose a batch."""

NOT_INSTALLED = "not installed: pip install 'tollbook[dashboard]'"


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


def run(opening: Opening, options: Options, collector_settings: CollectorSettings, say: Say) -> None:
    """Serves until SIGINT or SIGTERM.

    Args:
        opening: the data folder, and its store that is being opened.
        options: how to serve.
        collector_settings: how the collector takes, keeps and loads.
        say: called once everything answers.

    Raises:
        ServeError: it cannot start.
        StoreError: the store cannot be opened.
    """
    allow_files()
    keep_freed_memory()
    asyncio.run(serve(opening, options, collector_settings, say))


async def serve(opening: Opening, options: Options, collector_settings: CollectorSettings, say: Say) -> None:
    """As `run`, in the event loop of the caller."""
    tls = _tls(options.settings)
    with _listening(options) as listener:
        async with contextlib.AsyncExitStack() as stack:
            await opening.engine()
            rest = asyncio.create_task(asyncio.to_thread(importlib.import_module, "tollbook_ui.application"))
            store = await _opened(opening, options, stack)
            keys = await _known_keys(store, options.data, stack)
            guards = _Guards(keys if options.settings.auth == "required" else None, tls)
            collector = await _collecting(store, options, collector_settings, guards, stack)
            doors = Doors(OwnHostOnly(otlp_http.app(collector), options.host if guards.keys is None else ""))
            serving = await _answering(doors, tls, listener, stack)
            addresses = _addresses(listener, collector, options, collector_settings.grpc_port)
            watching = asyncio.create_task(_until_its_disk_fails(store))
            stack.callback(watching.cancel)
            token = secrets.token_hex(32)
            application = await rest
            running = application.Running(collector, keys, token)
            if options.collect_only:
                doors.open(application.collecting(options, running))
                stack.enter_context(Idler())
                say(replace(addresses, dashboard="not here: this collects"))
            else:
                made = stack.enter_context(contextlib.ExitStack())
                built = await asyncio.to_thread(application.whole, store, options, running, made)
                stack.push_async_callback(asyncio.to_thread, built.settler.stop, STOP_SECONDS)
                built.settler.start()
                stack.enter_context(Idler())
                opening.claim.publish(_written_down(addresses, token, tls))
                doors.open(built.outermost)
                say(addresses)
                if options.dashboard:
                    await stack.enter_async_context(_dashboard(built.app, built.front))
            _collect_garbage_again()
            await serving
            if watching.done():
                watching.result()


async def _until_its_disk_fails(store: Store) -> None:
    """Ends the server where the database may be damaged: opened anew, it sets aside what is.

    Raises:
        ServeError: the disk failed.
    """
    while True:
        await asyncio.sleep(DISK_SECONDS)
        try:
            await asyncio.to_thread(store.check_disk)
        except DiskFailedError as error:
            signal.raise_signal(signal.SIGTERM)
            raise ServeError(f"{error}. What was acknowledged is kept; start it again once the disk is mended") from error
        except StoreError:
            pass  # it passes, and the collector tells


def _collect_garbage_again() -> None:
    """What was imported stays: nobody need look through it again. See `starting.up`."""
    gc.freeze()
    gc.enable()


async def _answering(
    app: ASGIApp, tls: Tls | None, listener: socket.socket, stack: contextlib.AsyncExitStack
) -> "asyncio.Task[None]":
    """A server that answers until a signal stops it."""
    config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", backlog=BACKLOG,
                            timeout_graceful_shutdown=2, timeout_keep_alive=KEEP_ALIVE_SECONDS, http=Connection,
                            **_served_over(tls))  # fmt: skip
    config.load()
    if tls is not None and config.ssl is not None:
        tls.renew(config.ssl)
    server = _Server(config)
    stack.enter_context(_stopped_by_signals(server))
    serving = asyncio.create_task(server.serve([listener]))
    await _until_started(server, serving)
    return serving


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


async def _opened(opening: Opening, options: Options, stack: contextlib.AsyncExitStack) -> Store:
    """The store, in shape; servers that cannot be reached yet are brought into shape once they can."""
    store, away = (opened := await opening.opened()).store, opened.away
    stack.push_async_callback(asyncio.to_thread, store.close)
    if away is not None:
        log.warning("cannot reach %s; what comes is kept until it can be: %s", store.place, away)
        shaping = asyncio.create_task(_shape_later(store, options))
        stack.callback(shaping.cancel)
    return store


async def _shape_later(store: Store, options: Options) -> None:
    while True:
        await asyncio.sleep(RETRY_SECONDS)
        try:
            await asyncio.to_thread(shape, store, options)
        except StoreError as error:
            log.warning("cannot use %s: %s", store.place, error)
        else:
            log.info("%s is there", store.place)
            return


async def _known_keys(store: Store, data: Path, stack: contextlib.AsyncExitStack) -> Keys:
    keys = await asyncio.to_thread(Keys, store, data / KEYS_FILE)
    keys.start()
    stack.push_async_callback(asyncio.to_thread, keys.stop)
    return keys


def _tls(settings: Settings) -> Tls | None:
    if not settings.tls_cert:
        return None
    authorities = Path(settings.tls_client_ca) if settings.tls_client_ca else None
    return Tls(Path(settings.tls_cert), Path(settings.tls_key), authorities).checked()


def _served_over(tls: Tls | None) -> dict[str, Any]:
    """What uvicorn is told of TLS."""
    if tls is None:
        return {}
    asked = ssl.CERT_REQUIRED if tls.client_ca else ssl.CERT_NONE
    return {"ssl_certfile": tls.cert, "ssl_keyfile": tls.key, "ssl_ca_certs": tls.client_ca, "ssl_cert_reqs": asked}


@dataclass(frozen=True)
class _Guards:
    """What stands at the collector's doors."""

    keys: Keys | None
    tls: Tls | None


async def _collecting(
    store: Store, options: Options, settings: CollectorSettings, guards: _Guards, stack: contextlib.AsyncExitStack
) -> Collector:
    """A collector that takes requests; on another gRPC port where the one wished for is taken and any will do."""
    settings = replace(settings, stop_seconds=min(settings.stop_seconds, STOP_SECONDS))
    taken = settings.grpc_port > 0 and not _free(settings.grpc_host, settings.grpc_port)
    if taken and not options.any_port:
        raise ServeError(_taken(settings.grpc_host, settings.grpc_port, "--grpc-port"))
    settings = replace(settings, grpc_port=0) if taken else settings
    collector = Collector(store, options.data / "spool", settings, guards.keys, guards.tls)
    await collector.start()
    stack.push_async_callback(collector.stop)
    return collector


def _free(host: str, port: int) -> bool:
    listener = _bound(host, port)
    if listener is not None:
        listener.close()
    return listener is not None


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn's own handling would end the process before the spool is loaded."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """SIGINT and SIGTERM end it; SIGHUP does where its terminal is closed, and tells any other server to read its files again."""

    def stop(*_: object) -> None:
        server.should_exit = True

    def hung_up(*_: object) -> None:
        log.info("nothing to read again: certificates are read when they change, settings at the start")

    handlers = {signal.SIGINT: stop, signal.SIGTERM: stop}
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        handlers[signal.SIGHUP] = stop if os.isatty(0) else hung_up
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
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
async def _dashboard(app: "FastAPI", front: "Front") -> AsyncIterator[None]:
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
    scheme = "https" if options.settings.tls_cert else "http"
    url = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    dashboard = url if options.dashboard else "switched off"
    if options.dashboard and importlib.util.find_spec("streamlit") is None:
        dashboard = NOT_INSTALLED
    moved = []
    if options.port not in (0, port):
        moved.append(f"port {options.port} is taken: OTLP/HTTP, API and dashboard are on {port}")
    if collector.grpc_port is not None and wished_grpc_port not in (0, collector.grpc_port):
        moved.append(f"port {wished_grpc_port} is taken: OTLP/gRPC is on {collector.grpc_port}")
    return Addresses(url, collector.grpc_port, collector.settings.grpc_host, options.data, tuple(moved), dashboard)


def _written_down(addresses: Addresses, token: str, tls: Tls | None) -> locate.Server:
    now = datetime.now(UTC).isoformat()
    cert = str(tls.cert.resolve()) if tls else ""
    client_key = str(tls.key.resolve()) if tls and tls.client_ca else ""
    return locate.Server(os.getpid(), addresses.url, addresses.grpc_port, __version__, now, token, cert, client_key)
