"""A proxy on loopback that cuts what passes it: connections refused, held up, or closed before an answer gets through."""

import contextlib
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

CHUNK = 65536
HEADERS = 1
"""Type of the HTTP/2 frame that an answer begins with; those before it set up the connection."""


@dataclass
class Proxy:
    """Passes connections on to a port, as long as `refusing` and `cutting` do not say otherwise."""

    target: int
    port: int = 0
    refusing: bool = False
    """New connections are closed at once, those that there were are cut: the other side seems away."""
    cutting: Callable[[], bool] = lambda: False
    """Asked at each answer: true closes the connection instead of giving it to the client. The other side has done its work."""
    cuts: int = 0
    _open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def refuse(self) -> None:
        """From now on nobody gets through."""
        self.refusing = True
        with self._lock:
            for each in self._open:
                _shut(each)

    def allow(self) -> None:
        """Lets everybody through again."""
        self.refusing = False

    def handle(self, client: socket.socket) -> None:
        """Serves one connection until either side closes it."""
        if self.refusing:
            return
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.target)) as server:
            with self._lock:
                self._open |= {client, server}
            back = threading.Thread(target=self._answers, args=(server, client), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while data := client.recv(CHUNK):
                    server.sendall(data)
            _shut(server)
            back.join()
            with self._lock:
                self._open -= {client, server}

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := server.recv(CHUNK):
                if _begins_answer(data) and self._cut():
                    break
                client.sendall(data)
        _shut(client)
        _shut(server)

    def _cut(self) -> bool:
        with self._lock:
            cut = self.cutting()
            self.cuts += cut
        return cut


def alternately() -> Callable[[], bool]:
    """Cuts the first answer, gives the second, and so on: each request has to be sent twice."""
    answers = iter(_alternating())
    return lambda: next(answers)


@contextmanager
def proxied(target: int) -> Iterator[Proxy]:
    """A proxy in front of a port of this machine."""
    proxy = Proxy(target)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            proxy.handle(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

    with Server(("127.0.0.1", 0), Handler) as server:
        proxy.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            yield proxy
        finally:
            proxy.refuse()
            server.shutdown()


def _alternating() -> Iterator[bool]:
    while True:
        yield True
        yield False


def _begins_answer(data: bytes) -> bool:
    """Whether an answer begins in these bytes: an HTTP/1 status line, or an HTTP/2 frame of headers."""
    if data.startswith(b"HTTP/1"):
        return True
    place = 0
    while place + 9 <= len(data):
        if data[place + 3] == HEADERS:
            return True
        place += 9 + int.from_bytes(data[place : place + 3], "big")
    return False


def _shut(each: socket.socket) -> None:
    with contextlib.suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
