"""Clients that send numbered bodies, each until acknowledged, and the oracle: what was acknowledged against what is stored."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from tests.soak.bodies import STORED, Bodies
from tests.soak.server import Server

RETRY_SECONDS = 0.02
HEADERS = {"content-type": "application/x-protobuf"}


@dataclass(frozen=True)
class Tally:
    """What became of the spans that were acknowledged."""

    acknowledged: int
    lost: int
    """Acknowledged and not stored."""
    doubled: int
    """Stored more than once, acknowledged or not."""
    stored: int

    def __str__(self) -> str:
        return f"{self.lost:,} of {self.acknowledged:,} acknowledged lost, {self.doubled:,} doubled"


class Load:
    """Threads that each send a body until it is acknowledged, then the next one. Survives the server's death."""

    def __init__(self, port: int, clients: int = 3, spans: int = 64, pause_s: float = 0.0, first: int = 0) -> None:
        self.port = port
        self.spans = spans
        self.acknowledged: set[int] = set()
        """Numbers of the bodies."""
        self.answers: Counter[int] = Counter()
        """How often each status was answered; 0 is no answer at all."""
        self.bare_refusals = 0
        """429 and 503 without Retry-After, and every other refusal."""
        self.slowest_answer_s = 0.0
        self._first = first
        self._pause_s = pause_s
        self._bodies = Bodies(spans)
        self._made = first
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._send_for_ever, daemon=True) for _ in range(clients)]

    @contextmanager
    def flowing(self) -> Iterator["Load"]:
        """Sends while it is entered; a body that is not acknowledged by then is given up."""
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stopping.set()
            for thread in self._threads:
                thread.join(60)

    def until(self, bodies: int, seconds: float = 120, alive: Callable[[], bool] = lambda: True) -> None:
        """Waits until so many bodies are acknowledged."""
        deadline = time.monotonic() + seconds
        while len(self.acknowledged) < bodies:
            assert alive(), "the server ended"
            assert time.monotonic() < deadline, f"{len(self.acknowledged)} of {bodies} bodies acknowledged; {self.answers}"
            time.sleep(0.002)

    def tally(self, server: Server) -> Tally:
        """Compares what was acknowledged with what is stored of these bodies and of later numbers."""
        stored = self.stored(server)
        lost = sum(self.spans - stored.get(body, (0, 0))[1] for body in self.acknowledged)
        doubled = sum(spans - ids for spans, ids in stored.values())
        return Tally(len(self.acknowledged) * self.spans, lost, doubled, sum(spans for spans, _ in stored.values()))

    def stored(self, server: Server) -> dict[int, tuple[int, int]]:
        """For each body that is stored its rows, and the distinct spans among them."""
        ((rows,),) = server.ask(STORED)
        return {int(body): (int(spans), int(ids)) for body, spans, ids in rows if int(body) > self._first}

    def _send_for_ever(self) -> None:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            while not self._stopping.is_set():
                number, content = self._next()
                while self._send(connection, content) != 200:
                    if self._stopping.wait(RETRY_SECONDS):
                        return
                with self._lock:
                    self.acknowledged.add(number)
                self._stopping.wait(self._pause_s)

    def _next(self) -> tuple[int, bytes]:
        with self._lock:
            self._made += 1
            number = self._made
        return number, self._bodies.body(number)

    def _send(self, connection: http.client.HTTPConnection, content: bytes) -> int:
        began = time.monotonic()
        try:
            connection.request("POST", "/v1/traces", content, HEADERS)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            return self._noted(0, began, polite=True)
        return self._noted(response.status, began, polite="retry-after" in response.headers)

    def _noted(self, status: int, began: float, *, polite: bool) -> int:
        with self._lock:
            self.answers[status] += 1
            self.bare_refusals += status not in (0, 200) and not (polite and status in (429, 503))
            self.slowest_answer_s = max(self.slowest_answer_s, time.monotonic() - began)
        return status
