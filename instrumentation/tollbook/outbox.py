"""From an ended span to the collector: two threads of ours write and send, the application's threads only hand over.

A span that ends is put into a list. One thread writes what is in it as OTLP bytes, the other sends bodies of them and waits where
the collector asks to. What waits is bounded in bytes: beyond that spans are dropped, and counted one by one. Imported where
something is sent, never before.
"""

import os
import random
import threading
import time
import weakref
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tollbook.delivery import Answer, Delivery, Outcome
from tollbook.sending import losses
from tollbook.shield import shielded
from tollbook.wire import Encoder

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan

    from tollbook.shelf import Shelf

MAX_BYTES: Final = 32 * 1024 * 1024
"""What may wait to be delivered."""
BODY_BYTES: Final = 1024 * 1024
"""Size at which a body is closed."""
DELAY_S: Final = 1.0
"""How long a span waits for others at most."""
WRITE_AT: Final = 192
"""Ended spans at which writing begins at once. Each is three objects to Python's garbage collector, which begins at 700."""
HELP_AT: Final = 1024
"""Ended spans at which the application's thread writes some itself, as the writing thread does not get to it."""
HELP: Final = 32
FIRST_WAIT_S: Final = 1.0
MAX_WAIT_S: Final = 30.0
ENDED: Final = "the program ended"
FLUSH_WAIT_S: Final = 0.2
"""Pause between tries while somebody waits for a flush."""
OVERDUE_S: Final = 60.0
"""Time after which a try is given up that sockets' timeouts do not end."""

SOME: Final = 64
"""Spans that are written in one go: another thread that wants to write waits no longer than for these."""
_WRITING: Final = shielded("write a span")


class Written(NamedTuple):
    """Spans of one resource and scope as bytes."""

    resource: Any
    scope: Any
    spans: list[bytes]
    size: int


class Outbox:
    """Spans on their way to one address. Threads start with the first span.

    Args:
        delivery: where bodies go.
        max_bytes: what may wait to be delivered.
        delay_s: how long a span waits for others at most.
        body_spans: spans of a body at most.
        shelf: where bodies wait that cannot be delivered, and survive the process; None keeps them in memory.
        encoder: what writes them, by default as spans.
    """

    def __init__(
        self,
        delivery: Delivery,
        *,
        max_bytes: int = MAX_BYTES,
        delay_s: float = DELAY_S,
        body_spans: int = 8192,
        shelf: "Shelf | None" = None,
        encoder: Encoder | None = None,
    ) -> None:
        self._delivery = delivery
        self._max_bytes = max_bytes
        self._delay_s = delay_s
        self._body_spans = body_spans
        self._shelf = shelf
        self._encoder = encoder or Encoder()
        self.dropped = 0
        """Spans that were not delivered and never will be."""
        self._renew()
        _outboxes.add(self)

    def _renew(self) -> None:
        """As new: for the start, and for a forked child, whose parent delivers what waited."""
        self._ended: deque[ReadableSpan] = deque()
        self._written: deque[Written] = deque()
        self._under_way: list[Written] = []
        self._tries_shelved = False
        """Whether a body of the shelf is being sent."""
        self._since = 0.0
        self._turn = 0
        """Number of the sending thread; one that is stuck is given up."""
        self._shelf_wait_s = FIRST_WAIT_S
        self._bytes = 0
        self._taken = self._settled = 0
        """Spans that came, and those that were delivered or dropped."""
        self._some, self._full = threading.Event(), threading.Event()
        self._waits = True
        """Whether the writing thread has to be told of a span that ends; `_is_told` whether it knows of many."""
        self._is_told = False
        self._ready = threading.Event()
        self._writing, self._counting = threading.Lock(), threading.Condition()
        self._starting = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._wants_all = 0
        self._abandoned = 0
        """Spans that were not delivered when the program ended."""
        self._stops = False
        self._ends_at: float | None = None

    def put(self, span: "ReadableSpan | Any") -> None:
        """Takes a span that has ended, or what else the encoder writes; returns at once."""
        ended = self._ended
        ended.append(span)
        if self._waits:
            self._waits = False
            if not self._threads:
                self._start()
            self._some.set()
        if len(ended) >= WRITE_AT:
            self._hurry(len(ended))

    def _hurry(self, waiting: int) -> None:
        """Many spans wait to be written: the writing thread is told once, and helped where it does not get to it."""
        if not self._is_told:
            self._is_told = True
            self._full.set()
        if waiting > HELP_AT:
            self._write(HELP)

    def flush(self, timeout_s: float) -> bool:
        """Whether all that came before is delivered within that time."""
        lost, until = self.dropped, time.monotonic() + timeout_s
        if not self._threads:
            return True
        with self._counting:
            self._wants_all += 1
        try:
            self._write_all()
            wanted = self._taken
            self._ready.set()
            with self._counting:
                while self._settled < wanted and (left := until - time.monotonic()) > 0:
                    self._counting.wait(min(left, 0.1))
                return self._settled >= wanted and self.dropped == lost
        finally:
            with self._counting:
                self._wants_all -= 1

    def stop(self, timeout_s: float) -> None:
        """Delivers what it can within that time; the rest goes to the shelf, or is dropped and counted."""
        until = time.monotonic() + timeout_s
        self._ends_at = until
        self._stops = True
        self.flush(timeout_s)
        for event in (self._some, self._full, self._ready):
            event.set()
        for thread in self._threads:
            thread.join(max(0.05, until - time.monotonic()))
        self._leave()
        if not any(thread.is_alive() for thread in self._threads):
            self._delivery.close()
            if self._shelf is not None:
                self._shelf.close()

    def _leave(self) -> None:
        """What is left goes to the shelf, or is lost; what a thread is sending that does not end may arrive all the same."""
        with self._writing:
            left = [*self._under_way, *self._written]
            self._written.clear()
            self._under_way = []
        self._turn += 1
        if left and self._shelf is not None and self._shelf.put(self._packed(left), _count(left)):
            self._settle(left)
        elif left:
            self._abandoned += _count(left)
            self._drop(left, ENDED)
        losses.ended(self._delivery.url, self._abandoned)

    def _start(self) -> None:
        with self._starting, shielded("start to send"):
            if not self._threads and not self._stops:
                self._begin(self._write_for_ever, "writer")
                self._begin(self._send_for_ever, "sender", self._turn)

    def _begin(self, run: Callable[..., None], name: str, *args: int) -> None:
        thread = threading.Thread(target=run, name=f"tollbook-{name}", args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _write_for_ever(self) -> None:
        due = 0.0
        while not self._stops:
            if not due:
                self._some.wait(OVERDUE_S if self._under_way or self._tries_shelved else None)
                due = time.monotonic() + self._delay_s
            self._full.wait(max(0.0, due - time.monotonic()))
            self._some.clear()
            self._full.clear()
            self._waits, self._is_told = True, False
            self._write_all()
            if self._bytes >= BODY_BYTES or self._wants_all or time.monotonic() >= due:
                due = 0.0
                self._ready.set()
            if (self._under_way or self._tries_shelved) and time.monotonic() - self._since > OVERDUE_S:
                self._send_anew()

    def _write_all(self) -> None:
        """Writes what has ended so far."""
        left = len(self._ended)
        while left > 0:
            self._write(min(left, SOME))
            left -= SOME

    def _write(self, count: int) -> None:
        """Writes up to so many of the ended spans."""
        with self._writing:
            written, lost = self._as_bytes(min(count, len(self._ended)), self._max_bytes - self._bytes)
            with self._counting:
                self._taken += _count(written) + lost
                self._settled += lost
                self._bytes += _size(written)
            self._written.extend(written)
        if lost:
            self._count_dropped(lost, "more waits than may")

    def _as_bytes(self, left: int, room: int) -> tuple[list[Written], int]:
        """So many of the ended spans, as far as there is room for their bytes; how many were lost."""
        ended, encode, size, lost = self._ended, self._encoder.span, 0, 0
        groups: dict[tuple[int, int], tuple[Any, Any, list[bytes]]] = {}
        while left > 0:
            with _WRITING:
                while left > 0:
                    left -= 1
                    span = ended.popleft()
                    content = encode(span)
                    if not content or size + len(content) > room:
                        lost += 1
                        continue
                    size += len(content)
                    resource, scope = span.resource, span.instrumentation_scope
                    group = groups.get((id(resource), id(scope)))
                    if group is None:
                        group = groups[id(resource), id(scope)] = (resource, scope, [])
                    group[2].append(content)
                break
            lost += 1  # a fault of ours: the others are written all the same
        return [Written(*group, sum(map(len, group[2]))) for group in groups.values()], lost

    def _send_for_ever(self, turn: int) -> None:
        while turn == self._turn and (not self._stops or self._written):
            self._ready.wait(self._shelf_wait_s if self._shelf is not None and not self._shelf.empty else None)
            self._ready.clear()
            while turn == self._turn and (spans := self._next()):
                with shielded("send spans"):
                    self._deliver(spans, turn)
                    continue
                self._drop(spans, "a fault of ours")
            if self._shelf is not None and turn == self._turn:
                with shielded("send what waits on the shelf"):
                    self._deliver_shelved(self._shelf, turn)

    def _send_anew(self) -> None:
        """A server that answers byte by byte has the sending thread; another one takes over what it was sending."""
        self._turn += 1
        self._delivery.forget()
        self._written.extendleft(reversed(self._under_way))
        self._under_way, self._tries_shelved = [], False
        self._begin(self._send_for_ever, "sender", self._turn)
        self._ready.set()

    def _next(self) -> list[Written]:
        """The spans of the next body, oldest first."""
        found: list[Written] = []
        size = count = 0
        while self._written and size < BODY_BYTES and count < self._body_spans:
            written = self._written.popleft()
            if count + len(written.spans) > self._body_spans:
                written, rest = _split(written, self._body_spans - count)
                self._written.appendleft(rest)
            found.append(written)
            size += written.size
            count += len(written.spans)
        return found

    def _deliver(self, spans: list[Written], turn: int) -> None:
        """Sends a body until it is taken or refused, the same bytes at each try."""
        packed = self._packed(spans)
        if self._shelf is not None and not self._shelf.empty and self._shelf.put(packed, _count(spans)):
            self._settle(spans)  # behind what waits there already
            return
        wait_s = FIRST_WAIT_S
        while True:
            answer = self._try(spans, packed)
            if turn != self._turn:
                return
            if answer.outcome is not Outcome.LATER:
                break
            losses.undeliverable(self._delivery.url, answer.detail)
            if self._shelf is not None and self._shelf.put(packed, _count(spans)):
                self._settle(spans)
                return
            pause_s = wait_s * random.uniform(0.5, 1.0)  # noqa: S311 - so that not all come at once
            wait_s = min(wait_s * 2, MAX_WAIT_S)
            if not self._pause(pause_s, answer.wait_s):
                self._abandoned += _count(spans)
                self._drop(spans, ENDED)
                return
        self._conclude(spans, answer, turn)

    def _packed(self, spans: list[Written]) -> bytes:
        return self._delivery.packed(self._encoder.requested((some.resource, some.scope, some.spans) for some in spans))

    def _try(self, spans: list[Written], packed: bytes) -> Answer:
        self._since = time.monotonic()
        self._under_way = spans
        answer = self._delivery.send(packed)
        if self._under_way is spans:  # else this thread was given up, and another one is sending
            self._under_way = []
        return answer

    def _conclude(self, spans: list[Written], answer: Answer, turn: int) -> None:
        if answer.outcome is Outcome.DELIVERED:
            losses.delivered(self._delivery.url)
            if answer.rejected:
                self._count_dropped(min(answer.rejected, _count(spans)), "the collector rejected them")
            self._settle(spans)
        elif answer.outcome is Outcome.TOO_LARGE and _count(spans) > 1:
            for half in _halved(spans):
                self._deliver(half, turn)
        else:
            self._drop(spans, f"the collector refuses them ({answer.detail})")

    def _deliver_shelved(self, shelf: "Shelf", turn: int) -> None:
        """Sends what waits on the shelf, oldest first, until the collector takes no more."""
        while turn == self._turn and not self._stops:
            found = shelf.oldest()
            if lost := shelf.passed_over():
                self._count_dropped(lost, "files that they waited in cannot be read")
            if found is None:
                return
            answer = self._try_shelved(found.content, turn)
            if turn != self._turn:  # given up meanwhile: another thread sends it
                return
            if answer.outcome is Outcome.LATER:
                losses.undeliverable(self._delivery.url, answer.detail)
                self._shelf_wait_s = max(answer.wait_s, min(self._shelf_wait_s * 2, MAX_WAIT_S))
                return
            self._shelf_wait_s = FIRST_WAIT_S
            if answer.outcome is Outcome.DELIVERED:
                losses.delivered(self._delivery.url)
            else:
                self._count_dropped(found.spans, f"the collector refuses them ({answer.detail})")
            shelf.remove(found)

    def _try_shelved(self, content: bytes, turn: int) -> Answer:
        self._since = time.monotonic()
        self._tries_shelved = True
        try:
            return self._delivery.send(content)
        finally:
            if turn == self._turn:  # else it says so of another thread's
                self._tries_shelved = False

    def _pause(self, seconds: float, asked_s: float) -> bool:
        """Waits before another try, as long as the server asked for at least; whether there is time for one.

        Somebody who waits for a flush makes it shorter.
        """
        began = time.monotonic()
        while (waited := time.monotonic() - began) < max(seconds, asked_s):
            if self._ends_at is not None and time.monotonic() >= self._ends_at - 0.05:
                return False
            if self._wants_all and waited >= max(asked_s, FLUSH_WAIT_S):
                return True
            time.sleep(0.05)
        return True

    def _settle(self, spans: list[Written]) -> None:
        with self._counting:
            self._bytes -= _size(spans)
            self._settled += _count(spans)
            self._counting.notify_all()

    def _drop(self, spans: list[Written], why: str) -> None:
        self._count_dropped(_count(spans), why)
        self._settle(spans)

    def _count_dropped(self, count: int, why: str) -> None:
        with self._counting:
            self.dropped += count
        if why == ENDED:
            losses.spans += count
        else:
            losses.dropped(self._delivery.url, count, why)


def _count(written: list[Written]) -> int:
    return sum(len(some.spans) for some in written)


def _size(written: list[Written]) -> int:
    return sum(some.size for some in written)


def _split(written: Written, place: int) -> tuple[Written, Written]:
    first, rest = written.spans[:place], written.spans[place:]
    return written._replace(spans=first, size=sum(map(len, first))), written._replace(spans=rest, size=sum(map(len, rest)))


def _halved(written: list[Written]) -> tuple[list[Written], list[Written]]:
    """The same spans in two bodies of about as many each."""
    if len(written) == 1:
        first, rest = _split(written[0], len(written[0].spans) // 2)
        return [first], [rest]
    return written[: len(written) // 2], written[len(written) // 2 :]


_outboxes: "weakref.WeakSet[Outbox]" = weakref.WeakSet()


def _in_child() -> None:
    for outbox in list(_outboxes):
        outbox._renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
