"""What stands before everything that is served: the collector's doors open first, and nobody comes under a foreign name.

Imports little: the rest of the server takes as long to import as all else of a start, and spans need not wait for it.
"""

import asyncio

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from tollbook_collector.otlp_http import EXPORTS

FIRST = frozenset({*EXPORTS, "/healthz"})
"""What is answered at once. `/readyz` is not: it says that everything is there."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Doors:
    """Takes spans as soon as they can be kept; any other request waits until the rest of the server is there."""

    def __init__(self, collector: ASGIApp) -> None:
        """`collector` has the routes of a collector, and asks for keys itself where they are asked for."""
        self._collector = collector
        self._everything: ASGIApp | None = None
        self._opened = asyncio.Event()

    def open(self, everything: ASGIApp) -> None:
        """From now on all requests go to `everything`."""
        self._everything = everything
        self._opened.set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request or WebSocket."""
        if self._everything is None and scope["type"] == "http" and scope["path"] in FIRST:
            await self._collector(scope, receive, send)
            return
        await self._opened.wait()
        assert self._everything is not None
        await self._everything(scope, receive, send)


class OwnHostOnly:
    """Refuses requests that reach a loopback server under a foreign name: a web page's way to read it (DNS rebinding)."""

    def __init__(self, app: ASGIApp, host: str) -> None:
        self._app = app
        self._guarded = host in LOOPBACK

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request or WebSocket."""
        if not self._guarded or scope["type"] == "lifespan" or _host_name(scope) in LOOPBACK:
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await PlainTextResponse("this server answers to localhost only\n", 421)(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})


def _host_name(scope: Scope) -> str:
    """Name in the Host header, without the port; a request without the header is of no browser."""
    value = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "localhost")
    if value.startswith("["):
        return value[1:].partition("]")[0]
    return value.partition(":")[0].lower()
