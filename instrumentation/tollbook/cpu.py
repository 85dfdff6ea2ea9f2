"""The CPU clock of a thread, including helper threads that work for it."""

import os
import sys
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Final

from tollbook.shield import shielded

SHORT_NS: Final = 10_000
"""What took less used less, too: then its duration stands for its CPU time, as reading the clock takes a tenth of that."""
_TASKS: Final = "/proc/self/task"


class _Helpers(threading.local):
    time_ns = 0


_helpers = _Helpers()


def clock_ns() -> int:
    """CPU time of this thread and of what was `credit`ed to it, in ns. Only differences mean something."""
    return time.thread_time_ns() + _helpers.time_ns


def credit(time_ns: int) -> None:
    """Add CPU time that other threads used on behalf of this one, such as a model's thread pool."""
    _helpers.time_ns += time_ns


def inside_event_loop() -> bool:
    """Whether this thread runs an asyncio loop now, so that other tasks may run before the current one goes on."""
    events = sys.modules.get("asyncio.events")  # never imported by us: 30 ms
    return events is not None and events._get_running_loop() is not None


class ThreadPool:
    """Native threads that work for whoever has entered: `with pool:` credits their CPU time to the calling thread.

    Several callers at a time get equal shares of each instant, so that the shares sum to what the pool used. What it
    uses while nobody is inside, such as spinning after a run, is credited to nobody.
    """

    def __init__(self, thread_ids: Iterable[int]) -> None:
        # Linux keeps a CPU clock for each thread, whose number is made of the thread's: clock_getcpuclockid(3).
        self._clocks = tuple((~thread_id << 3) | 6 for thread_id in thread_ids)
        self._lock = threading.Lock()
        self._entered = 0
        self._used_ns = 0
        self._share_ns = 0.0
        self._began = threading.local()

    def __enter__(self) -> None:
        self._began.share_ns = None
        if self._clocks:
            with shielded("read a thread pool's clocks"), self._lock:
                self._advance()
                self._entered += 1
                self._began.share_ns = self._share_ns

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        began_ns = self._began.share_ns
        if began_ns is not None:
            with shielded("read a thread pool's clocks"), self._lock:
                try:
                    self._advance()
                finally:
                    self._entered -= 1
                credit(int(self._share_ns - began_ns))

    def _advance(self) -> None:
        try:
            used_ns = sum(map(time.clock_gettime_ns, self._clocks))
        except OSError:  # the threads have ended: their session was set up anew
            self._clocks = ()
        if not self._clocks:
            return
        if self._entered:
            self._share_ns += (used_ns - self._used_ns) / self._entered
        self._used_ns = used_ns


class Newborn:
    """The native threads that a call starts: `with Newborn() as found: …; found.thread_ids`.

    Empty where the system does not tell, or where two calls overlap and could be taken for each other.
    """

    _running = 0
    _begun = 0
    _lock = threading.Lock()

    def __init__(self) -> None:
        self.thread_ids: frozenset[int] = frozenset()
        self._before: frozenset[int] = frozenset()

    def __enter__(self) -> "Newborn":
        with Newborn._lock:
            Newborn._running += 1
            Newborn._begun += 1
            self._alone, self._turn = Newborn._running == 1, Newborn._begun
        with shielded("list threads"):
            self._before = _thread_ids()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        with Newborn._lock:
            Newborn._running -= 1
            alone = self._alone and self._turn == Newborn._begun
        with shielded("list threads"):
            python = {thread.native_id for thread in threading.enumerate()}
            self.thread_ids = _thread_ids() - self._before - python if alone else frozenset()


def _thread_ids() -> frozenset[int]:
    try:
        with os.scandir(_TASKS) as tasks:
            return frozenset(int(task.name) for task in tasks)
    except OSError:  # not Linux
        return frozenset()
