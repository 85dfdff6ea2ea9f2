"""Collectors that a service must survive: absent, deaf, refusing, answering without end. Each counts what it was sent."""

import gzip
import itertools
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

Answer = Callable[[socket.socket], None]
CHUNK = b"x" * 65_536


def _refusing(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")


def _silent(client: socket.socket) -> None:
    while client.recv(65_536):
        pass


def _no_http(client: socket.socket) -> None:
    client.sendall(b"\x00\xff\xfeSSH-2.0-none of yours\r\n\r\n")


def _garbage(client: socket.socket) -> None:
    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n\xff\x00garbage")


def _huge(client: socket.socket) -> None:
    """10 GB, as fast as they are taken."""
    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n")
    while True:
        client.sendall(CHUNK)


def _endless(client: socket.socket) -> None:
    """Chunks without end, a byte at a time."""
    client.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
    while True:
        client.sendall(b"1\r\nx\r\n")
        time.sleep(0.05)


def _slow_head(client: socket.socket) -> None:
    for letter in itertools.cycle(b"HTTP/1.1 200 OK\r\nx: y"):
        client.sendall(bytes((letter,)))
        time.sleep(0.05)


def _wide_head(client: socket.socket) -> None:
    """100 MB of headers, none of which ends."""
    client.sendall(b"HTTP/1.1 200 OK\r\nx: ")
    for _ in range(1600):
        client.sendall(CHUNK)


def _redirecting(client: socket.socket) -> None:
    host, port = client.getsockname()
    client.sendall(f"HTTP/1.1 307 Moved\r\nlocation: http://{host}:{port}/v1/traces\r\ncontent-length: 0\r\n\r\n".encode())


def _bomb(client: socket.socket) -> None:
    """64 MiB of zeros, compressed."""
    packed = gzip.compress(bytes(1 << 26))
    client.sendall(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(packed) + packed)


def _cut(client: socket.socket) -> None:
    client.close()


ANSWERS: dict[str, Answer] = {
    "refusing": _refusing, "silent": _silent, "no HTTP": _no_http, "garbage": _garbage, "10 GB": _huge, "endless": _endless,
    "slow head": _slow_head, "100 MB of headers": _wide_head, "redirecting": _redirecting, "zip bomb": _bomb, "cut": _cut,
}  # fmt: skip
TAKING = frozenset(("garbage", "10 GB", "endless", "zip bomb"))
"""Those whose answer begins with a 2xx, after which nothing may come again."""


@dataclass
class Hostile:
    """One of them, and what came."""

    kind: str
    url: str = ""
    spans: Counter[bytes] = field(default_factory=Counter)
    """How often each span came."""

    def take(self, client: socket.socket) -> None:
        """Requests of one connection, each answered in this one's way."""
        with suppress(OSError), client:
            while body := _body(client):
                request = ExportTraceServiceRequest.FromString(body)
                self.spans.update(
                    span.span_id for part in request.resource_spans for scope in part.scope_spans for span in scope.spans
                )
                ANSWERS[self.kind](client)


def _body(client: socket.socket) -> bytes:
    """The next request's body; empty where the connection has ended."""
    head, _, body = _until(client, b"\r\n\r\n").partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        piece = client.recv(65_536)
        if not piece:
            return b""
        body += piece
    return gzip.decompress(body) if b"content-encoding: gzip" in head.lower() else body


def _until(client: socket.socket, mark: bytes) -> bytes:
    found = b""
    while mark not in found:
        piece = client.recv(65_536)
        if not piece:
            return b""
        found += piece
    return found


@contextmanager
def hostile_collectors() -> Iterator[list[Hostile]]:
    """One of each kind, and one that is not there; they end with the block."""
    listeners: list[socket.socket] = []
    clients: list[socket.socket] = []
    found = [Hostile("absent", "http://127.0.0.1:9")]

    def listen(listener: socket.socket, hostile: Hostile) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                clients.append(client)
                threading.Thread(target=hostile.take, args=(client,), daemon=True).start()

    try:
        for kind in ANSWERS:
            listener = socket.create_server(("127.0.0.1", 0))
            listeners.append(listener)
            found.append(Hostile(kind, f"http://127.0.0.1:{listener.getsockname()[1]}"))
            threading.Thread(target=listen, args=(listener, found[-1]), daemon=True).start()
        yield found
    finally:
        for open_socket in (*listeners, *clients):
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)
            open_socket.close()
