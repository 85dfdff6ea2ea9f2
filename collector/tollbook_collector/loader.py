"""The loader: segments from the spool into the store, oldest first, each by one INSERT and each once.

A store that is away is waited for. A segment that the store refuses for good is halved until the record at fault is found, and
that one taken apart until the span is; the span is set aside under `dead/` with the reason, all others are loaded.
"""

import hashlib
import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from google.protobuf.message import DecodeError
from tollbook_schema.store import StoreError, StoreUnavailableError

from tollbook_collector import apart, export
from tollbook_collector import segment as segments
from tollbook_collector.counters import Counters
from tollbook_collector.disk import CLOCK, Clock
from tollbook_collector.folder import Segment, token
from tollbook_collector.settings import Settings
from tollbook_collector.sharing import PartlyStoredError, Sink
from tollbook_collector.signals import SIGNALS
from tollbook_collector.spool import Spool

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0

MAX_TRIES = 200
"""INSERTs to find what is at fault in one segment; what fails beyond them is set aside as it is."""


class Loader:
    """Threads that load segments until they are stopped."""

    def __init__(self, spool: Spool, store: Sink, settings: Settings, counters: Counters, clock: Clock = CLOCK) -> None:
        self._spool = spool
        self._store = store
        self._clock = clock
        self._settings = settings
        self._counters = counters
        self._stopping = threading.Event()
        self._wait_s = FIRST_WAIT_S
        self._load_s = 0.0
        """Duration of the last load."""
        self._deadline_s = math.inf
        self._threads: list[threading.Thread] = []
        self._turns = threading.Condition()
        self._loading = 0
        self._pauses = 0
        self.trouble = ""
        """Why the store takes nothing at present; empty while all is well."""

    def start(self) -> None:
        """Starts loading."""
        for number in range(self._settings.loaders):
            thread = threading.Thread(target=self._load_for_ever, name=f"tollbook-loader-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, deadline: float) -> None:
        """Loads what is in the spool, until `deadline` (monotonic clock) at the latest, then ends the threads.

        No load begins that would probably not be done by then: what is not loaded is found at the next start.
        """
        self._deadline_s = deadline
        while not self._spool.empty and not self.trouble and time.monotonic() < deadline - self._load_s:
            time.sleep(0.01)
        self._stopping.set()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """While it is entered, every body kept is in the spool or in the store, never on the way: for a backup of both."""
        with self._turns:
            self._pauses += 1
            self._turns.wait_for(lambda: not self._loading)
        try:
            yield
        finally:
            with self._turns:
                self._pauses -= 1
                self._turns.notify_all()

    def load_next(self, timeout_s: float, *, now: bool = False) -> bool:
        """Loads the oldest segment that is due within `timeout_s`; whether it is in the store."""
        with self._turns:
            self._turns.wait_for(lambda: not self._pauses)
            self._loading += 1
        try:
            return self._load_oldest(timeout_s, now)
        finally:
            with self._turns:
                self._loading -= 1
                self._turns.notify_all()

    def _load_oldest(self, timeout_s: float, now: bool) -> bool:
        segment = self._spool.take(timeout_s, now=now)
        if segment is None:
            return False
        try:
            buried = self._load(segment)
        except PartlyStoredError as error:
            self.trouble = error.trouble
            self._wait_s = FIRST_WAIT_S
            self._spool.put_back(segment, suspect=True)
            return False
        except (StoreUnavailableError, OSError) as error:
            self.trouble = str(error)
            self._counters.add("load_failures_total", signal=segment.signal)
            self._spool.put_back(segment, suspect=self._store.ping())
            return False
        self.trouble = ""
        self._wait_s = FIRST_WAIT_S
        self._spool.done(segment, buried)
        return True

    def _load_for_ever(self) -> None:
        while not self._stopping.is_set() and time.monotonic() < self._deadline_s - self._load_s:
            if not self.load_next(timeout_s=0.2, now=self._spool.stopping) and self.trouble:
                self._stopping.wait(self._wait_s)
                self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)

    def _load(self, segment: Segment) -> set[bytes]:
        """Loads a segment; digests of the bodies that were set aside."""
        started = self._clock.monotonic()
        buried: set[bytes] = set()
        try:
            self._store.load(SIGNALS[segment.signal].table, segment.path, segment.token, segment.received_at)
        except StoreUnavailableError:
            raise
        except StoreError as error:
            buried = _Salvage(self._spool, self._store, self._counters, segment).all(error)
        self._load_s = self._clock.monotonic() - started
        self._counters.add("load_seconds_total", self._load_s)
        self._counters.add("segments_total", signal=segment.signal)
        self._counters.add("stored_bytes_total", segment.size_bytes, signal=segment.signal)
        self._counters.set("load_lag_seconds", round(max(0.0, (self._clock.time_ns() - segment.opened_ns) / 1e9), 3))
        return buried


@dataclass(frozen=True)
class _Unit:
    """A body with its frame: a record of a segment, or one span of one."""

    content: bytes
    frame: segments.Frame
    mended: bool = False
    """Whether it is as our own protobuf library writes it."""

    @property
    def body(self) -> bytes:
        return self.content[len(self.content) - self.frame.length :]


class _Salvage:
    """Loads what can be loaded of a segment that the store refused, and sets the rest aside.

    Every token is of what is sent, so doing it all again after a crash changes nothing.
    """

    def __init__(self, spool: Spool, store: Sink, counters: Counters, segment: Segment) -> None:
        self._spool = spool
        self._store = store
        self._counters = counters
        self._segment = segment
        self._signal = SIGNALS[segment.signal]
        self._tries = 0
        self._buried: set[bytes] = set()

    def all(self, error: StoreError) -> set[bytes]:
        """Loads all but what is at fault; digests of the bodies that were set aside whole."""
        data = self._spool.content(self._segment)
        found = segments.scan(self._segment.signal, segments.InMemory(data))
        records = [item for item in found if isinstance(item, segments.Record)]
        self._halve([_Unit(data[record.start : record.end], record.frame) for record in records], error)
        return self._buried

    def _halve(self, units: Sequence[_Unit], error: StoreError) -> None:
        """Loads what is good of a stretch that failed with `error`: both halves, or the parts of a unit alone."""
        if self._tries >= MAX_TRIES:
            self._bury(units, error)
        elif len(units) == 1:
            self._mend(units[0], error)
        else:
            middle = len(units) // 2
            self._load_or_halve(units[:middle])
            self._load_or_halve(units[middle:])

    def _load_or_halve(self, units: Sequence[_Unit]) -> None:
        try:
            self._load(units)
        except StoreUnavailableError:
            raise
        except StoreError as error:
            self._halve(units, error)

    def _mend(self, unit: _Unit, error: StoreError) -> None:
        """Loads a unit as our own protobuf library writes it: ClickHouse reads protobuf more strictly than it has to."""
        if unit.mended:
            self._bury([unit], error)
            return
        try:
            body = export.rewritten(self._signal, unit.body)
        except DecodeError:
            self._bury([unit], error)
            return
        try:
            self._load([self._unit(body, unit.frame.tenant, unit.frame.resources)])
        except StoreUnavailableError:
            raise
        except StoreError as mended_error:
            self._take_apart(unit, body, mended_error)
        else:
            self._counters.add("rewritten_total", signal=self._segment.signal)

    def _take_apart(self, unit: _Unit, body: bytes, error: StoreError) -> None:
        """Loads the spans of a unit that are not at fault; one span alone is set aside."""
        singles = [self._unit(single, unit.frame.tenant, 1) for single in apart.singles(body)]
        if len(singles) > 1:
            self._halve(singles, error)
        else:
            self._bury([unit], error)

    def _unit(self, body: bytes, tenant: str, resources: int) -> _Unit:
        digest = segments.digest(self._segment.signal, tenant, body)
        frame = segments.Frame(len(body), digest, resources, tenant)
        return _Unit(segments.frame(len(body), digest, resources, tenant) + body, frame, mended=True)

    def _load(self, units: Sequence[_Unit]) -> None:
        self._tries += 1
        identity = token(self._segment.signal, b"".join(unit.frame.digest for unit in units))
        with self._spool.part(self._segment, self._tries, b"".join(unit.content for unit in units)) as part:
            self._store.load(self._signal.table, part, identity, self._segment.received_at)

    def _bury(self, units: Sequence[_Unit], error: StoreError) -> None:
        """Sets units aside, together in one file."""
        digests = [unit.frame.digest for unit in units]
        name = digests[0] if len(units) == 1 else hashlib.sha256(b"".join(digests)).digest()
        if self._spool.graves.bury(self._segment, name, b"".join(unit.content for unit in units), str(error)):
            self._counters.add("dead_total", signal=self._segment.signal)
        self._buried.update(digests)
