"""The loader: segments from the spool into the store, oldest first, each by one INSERT and each once.

A store that is away is waited for. A segment that the store refuses for good is halved until the record at fault is found; that
one is set aside under `dead/` with the reason, the others are loaded.
"""

import threading
import time
from collections.abc import Sequence

from tollbook_schema.store import Store, StoreError, StoreUnavailableError

from tollbook_collector import export
from tollbook_collector import segment as segments
from tollbook_collector.counters import Counters
from tollbook_collector.settings import Settings
from tollbook_collector.signals import SIGNALS
from tollbook_collector.spool import Segment, Spool

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 10.0


class Loader:
    """Threads that load segments until they are stopped."""

    def __init__(self, spool: Spool, store: Store, settings: Settings, counters: Counters) -> None:
        self._spool = spool
        self._store = store
        self._settings = settings
        self._counters = counters
        self._stopping = threading.Event()
        self._wait_s = FIRST_WAIT_S
        self._threads: list[threading.Thread] = []
        self.trouble = ""
        """Why the store takes nothing at present; empty while all is well."""

    def start(self) -> None:
        """Starts loading."""
        for number in range(self._settings.loaders):
            thread = threading.Thread(target=self._load_for_ever, name=f"tollbook-loader-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, deadline: float) -> None:
        """Loads what is in the spool, until `deadline` (monotonic clock) at the latest, then ends the threads."""
        while not self._spool.empty and not self.trouble and time.monotonic() < deadline:
            time.sleep(0.01)
        self._stopping.set()
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def load_next(self, timeout_s: float, *, now: bool = False) -> bool:
        """Loads the oldest segment that is due within `timeout_s`; whether it is in the store."""
        segment = self._spool.take(timeout_s, now=now)
        if segment is None:
            return False
        try:
            self._load(segment)
        except StoreUnavailableError as error:
            self.trouble = str(error)
            self._counters.add("load_failures_total", signal=segment.signal)
            self._spool.put_back(segment, suspect=self._store.ping())
            return False
        self.trouble = ""
        self._wait_s = FIRST_WAIT_S
        self._spool.done(segment)
        return True

    def _load_for_ever(self) -> None:
        while not self._stopping.is_set():
            if not self.load_next(timeout_s=0.2, now=self._spool.stopping) and self.trouble:
                self._stopping.wait(self._wait_s)
                self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)

    def _load(self, segment: Segment) -> None:
        started = time.monotonic()
        try:
            self._store.load(SIGNALS[segment.signal].table, segment.path, segment.token, segment.received_at)
        except StoreUnavailableError:
            raise
        except StoreError as error:
            self._load_in_parts(segment, error)
        self._counters.add("load_seconds_total", time.monotonic() - started)
        self._counters.add("segments_total", signal=segment.signal)
        self._counters.add("stored_bytes_total", segment.size_bytes, signal=segment.signal)
        self._counters.set("load_lag_seconds", round(max(0.0, (time.time_ns() - segment.opened_ns) / 1e9), 3))

    def _load_in_parts(self, segment: Segment, error: StoreError) -> None:
        data = segment.path.read_bytes()
        records = [found for found in segments.scan(segment.signal, data) if isinstance(found, segments.Record)]
        self._halve(segment, data, records, error)

    def _halve(self, segment: Segment, data: bytes, records: Sequence[segments.Record], error: StoreError) -> None:
        """Loads the records of a stretch that failed with `error`: both halves, or none if it is one record."""
        if len(records) == 1:
            self._load_rewritten(segment, data, records[0], error)
            return
        middle = len(records) // 2
        for half in (records[:middle], records[middle:]):
            try:
                self._load_part(segment, data[half[0].start : half[-1].end], half)
            except StoreUnavailableError:
                raise
            except StoreError as half_error:
                self._halve(segment, data, half, half_error)

    def _load_rewritten(self, segment: Segment, data: bytes, record: segments.Record, error: StoreError) -> None:
        """Loads a record as our own protobuf library writes it: ClickHouse reads protobuf more strictly than it has to."""
        body = export.rewritten(SIGNALS[segment.signal], data[record.body : record.end])
        frame = segments.frame(len(body), record.frame.digest, record.frame.resources, record.frame.tenant)
        try:
            self._load_part(segment, frame + body, [record])
        except StoreUnavailableError:
            raise
        except StoreError:
            self._bury(segment, data[record.start : record.end], record, error)
        else:
            self._counters.add("rewritten_total", signal=segment.signal)

    def _load_part(self, segment: Segment, content: bytes, records: Sequence[segments.Record]) -> None:
        """Loads a stretch of a segment. Its token is of what was sent, so doing it all again after a crash changes nothing."""
        part = segment.path.with_suffix(f".part-{records[0].start}")
        part.write_bytes(content)
        token = Segment(segment.signal, segment.opened_ns, part, digests=[record.frame.digest for record in records]).token
        try:
            self._store.load(SIGNALS[segment.signal].table, part, token, segment.received_at)
        finally:
            part.unlink(missing_ok=True)

    def _bury(self, segment: Segment, content: bytes, record: segments.Record, error: StoreError) -> None:
        """Sets a record aside that the store can never take. The file is an export request, its tenant in the frame before it."""
        folder = self._spool.folder / "dead"
        folder.mkdir(mode=0o700, exist_ok=True)
        grave = folder / f"{segment.path.stem}-{record.start}.otlp"
        grave.write_bytes(content)
        grave.with_suffix(".reason").write_text(f"{error}\n")
        self._counters.add("dead_total", signal=segment.signal)
