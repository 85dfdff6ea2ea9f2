"""HTTP connections as uvicorn serves them, with the limits it does not have: heads of a size, and a time for everything.

httptools reads headers without end, and a client may take for ever to send a head or to read an answer. One sweep a second looks
at all connections and ends those that are late, which costs nothing on a request's way.
"""

import asyncio
import contextlib
import ctypes
import re
import resource
import threading
import time
from collections.abc import Iterable
from typing import Any
from weakref import WeakSet

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

MAX_HEADERS = 200
MAX_HEAD_BYTES = 64 * 1024
"""Request line and headers together, as much as h11 and gRPC take."""

MAX_PIPELINED = 16
"""Requests one behind the other on a connection. Thousands fit into one read, and all else would wait for them."""

MAX_CONNECTIONS = 8192
"""Beyond them, or half of the files this process may open, the one that has waited longest for its head makes room."""

MAX_FILES = 65_536

HEAD_SECONDS = 10.0
"""For a head to arrive, from the connection or from its first byte."""

BODY_SECONDS = 28.0
"""For a body to arrive; the routes of OTLP ask for less, see `body_timeout_ms`, and say so."""

LINGER_SECONDS = 5.0
"""For the rest of a request that is answered already, so that its sender gets to read why."""

READ_SECONDS = 20.0
"""For a client to take some of an answer that is larger than the buffers."""

SWEEP_SECONDS = 1.0

READ_BYTES = 512 * 1024
"""Read at a time: a body of 512 spans has 366 KB."""

HIGH_WATER_BYTES = 256 * 1024
"""Of a body that the application has not taken yet; beyond them nothing more is read."""

KEPT_BYTES = 64 * 1024 * 1024
"""Freed memory that is kept for the next bodies."""

OWN_MAPPING_BYTES = 8 * 1024 * 1024
"""What is larger goes back to the system when it is freed."""

TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 31\r\nconnection: close\r\n\r\nRequest Header Fields Too Large"
)


OFFER = b"h2c"
"""HTTP/2 in the clear, which Java's client offers with each first request; to be declined by not answering it."""

OFFER_BYTES = 2048
DECLINED = re.compile(rb"(\r\n)upgrade:(?=[ \t]*h2c[ \t]*\r\n)", re.IGNORECASE)

_local = threading.local()
_swept: "WeakSet[ServerState]" = WeakSet()


class HeadTooLargeError(Exception):
    """More headers, or longer ones, than any client needs."""


class UnreadableBodyError(Exception):
    """An offer of another protocol that was not seen in time: the parser would take its body for that protocol's."""


class Connection(HttpToolsProtocol, asyncio.BufferedProtocol):
    """One connection. Reads into one buffer that all connections of a thread share, and keeps bodies as they were parsed."""

    def __init__(self, *args: Any, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._head_bytes = 0
        self._head_too_large = False
        self.due: float | None = None
        """When it will be too late for what is waited for, monotonic; none while it is our turn."""
        self.reading_head = True
        self._writing_due: float | None = None

    # What happens

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A client is there, and must say what it wants in time."""
        if len(self.connections) >= max_connections():
            _make_room(connection for connection in self.connections if isinstance(connection, Connection))
        super().connection_made(transport)
        self.due = time.monotonic() + HEAD_SECONDS
        if self.server_state not in _swept:
            _swept.add(self.server_state)
            _sweep(self.loop, self.server_state)

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's name
        """Where to read into; what is read is parsed before anything else is."""
        return _buffer()

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes were read."""
        self.data_received(_buffer()[:nbytes])

    def data_received(self, data: bytes | memoryview) -> None:
        """Bytes came. A head is cut off at its limit, give or take one read."""
        if (self.reading_head or self.idle) and OFFER in bytes(data[:OFFER_BYTES]):
            data = _declined(bytes(data))
        super().data_received(data)  # type: ignore[arg-type]  # httptools takes any buffer
        if self.reading_head:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._head_too_large = True
                self.send_400_response("")
        elif self.due is None and self.idle:  # the rest of what is answered already, or empty lines before a request
            self.due, self.reading_head, self._head_bytes = time.monotonic() + HEAD_SECONDS, True, 0

    @property
    def idle(self) -> bool:
        """Whether all that was asked is answered."""
        return self.cycle is None or self.cycle.response_complete

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self.reading_head = True
        self._head_bytes = 0
        self.due = time.monotonic() + HEAD_SECONDS

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header. A trailer may say nothing of how to read what came before it, or who sent it, so none is taken for one."""
        if not self.reading_head:
            return
        self._head_bytes += len(name) + len(value)
        if len(self.headers) >= MAX_HEADERS or self._head_bytes > MAX_HEAD_BYTES:
            self._head_too_large = True
            raise HeadTooLargeError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is whole; now the body."""
        if len(self.pipeline) >= MAX_PIPELINED:
            raise HeadTooLargeError
        if self.parser.should_upgrade() and self.parser.get_method() == b"POST":
            raise UnreadableBodyError
        self.reading_head = False
        self.due = time.monotonic() + BODY_SECONDS
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body; the first that waits is kept as it is, where uvicorn copies each of them twice."""
        if self.idle:
            return
        waiting = self.cycle.body
        self.cycle.body = waiting + body if waiting else body  # type: ignore[assignment]  # uvicorn takes bytes of it
        if len(self.cycle.body) > HIGH_WATER_BYTES:
            self.flow.pause_reading()
        self.cycle.message_event.set()

    def on_message_complete(self) -> None:
        """The request is whole; now it is our turn."""
        self.due = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """The answer is written; uvicorn closes what stays idle after it."""
        if self.due is not None and not self.reading_head:
            self.due = time.monotonic() + LINGER_SECONDS
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuses what is no HTTP, or too much of it."""
        if self.transport.is_closing():
            return
        if self._head_too_large:
            self.transport.write(TOO_LARGE)
            self.transport.close()
        else:
            super().send_400_response(msg)

    def pause_writing(self) -> None:
        """The client does not read."""
        self._writing_due = time.monotonic() + READ_SECONDS
        super().pause_writing()

    def resume_writing(self) -> None:
        """It has read some."""
        self._writing_due = None
        super().resume_writing()

    # What is late

    def sweep(self, now: float) -> None:
        """Ends it if it is late."""
        if self.transport.is_closing() and self.due is None and self._writing_due is None:
            self._writing_due = now + LINGER_SECONDS  # closing waits for the client to read
        if _past(self.due, now) or _past(self._writing_due, now):
            self.transport.abort()


def _declined(data: bytes) -> bytes:
    """The same bytes without an offer in the head that they begin with; a body may hold the same words."""
    end = data.find(b"\r\n\r\n")
    head = len(data) if end < 0 else end + 2
    return DECLINED.sub(rb"\1x-declined:", data[:head], count=1) + data[head:]


def _past(due: float | None, now: float) -> bool:
    return due is not None and now > due


def max_connections() -> int:
    """How many there may be: half of the files this process may open are for the rest of it."""
    return min(MAX_CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)


def allow_files() -> None:
    """Lets this process open as many files as it is allowed to ask for: many systems begin with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_FILES if hard == resource.RLIM_INFINITY else min(hard, MAX_FILES)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def keep_freed_memory() -> None:
    """Tells glibc to keep memory between bodies; to fault it in again is half of the cost of receiving one."""
    m_trim_threshold, m_mmap_threshold = -1, -3
    with contextlib.suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(m_trim_threshold, KEPT_BYTES)
        libc.mallopt(m_mmap_threshold, OWN_MAPPING_BYTES)


def _buffer() -> memoryview:
    if not hasattr(_local, "buffer"):
        _local.buffer = memoryview(bytearray(READ_BYTES))
    buffer: memoryview = _local.buffer
    return buffer


def _make_room(connections: Iterable[Connection]) -> None:
    """Ends the one that has waited longest for a head, or else one that is idle."""
    waiting = [connection for connection in connections if connection.reading_head or connection.idle]
    if waiting:
        min(waiting, key=lambda connection: connection.due or float("inf")).transport.abort()


def _sweep(loop: asyncio.AbstractEventLoop, server: ServerState) -> None:
    now = time.monotonic()
    for connection in list(server.connections):
        if isinstance(connection, Connection):
            connection.sweep(now)
    if server.connections:
        loop.call_later(SWEEP_SECONDS, _sweep, loop, server)
    else:
        _swept.discard(server)
