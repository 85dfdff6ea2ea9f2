"""The spool: what was acknowledged and is not in the store yet, as segment files on disk.

Senders append; one thread writes what has gathered and syncs it once for all of them (group commit). Loaders take the oldest
segment, load it and say so, and only then its file goes. Everything a segment needs is in its file and its name, so a killed
collector finds it all again.

The lock is never held while the disk works: a disk that stalls holds up its writer, and everybody else is refused in time.
"""

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tollbook_schema.tenants import DEFAULT_TENANT

from tollbook_collector import segment as segments
from tollbook_collector.counters import Counters, Sample
from tollbook_collector.dead import Graves
from tollbook_collector.disk import CLOCK, DISK, Clock, Disk, write_whole
from tollbook_collector.errors import SpoolBusyError, UnavailableError
from tollbook_collector.folder import Folder, Segment
from tollbook_collector.seen import Seen
from tollbook_collector.settings import Settings
from tollbook_collector.signals import SIGNALS, SignalName

LONG_S = 60.0
SUSPECT_FAILURES = 3
UNREADABLE_FAILURES = 10
"""Tries to read a segment, a quarter of an hour in all, before it is set aside."""
CHECK_AFTER_S = 60.0
"""Age at which a segment's bodies are checked before it is loaded: younger ones are still in the kernel's memory."""

LOAD_SHARE = 8
"""An open segment waits for so many times the duration of its signal's last load: an eighth of a core for sparse traffic."""

LONGEST_GATHER = 2
"""It never waits longer than so many times `segment_ms`."""

SPARSE_BYTES = 1_000_000
"""A segment beyond this is loaded after `segment_ms` whatever loads cost: most of what it costs is its spans."""

LOOK_S = 0.1
"""Time between looks at open segments, which become due by growing too."""

FIRST_RETRY_S = 1.0
LONGEST_RETRY_S = 300.0
ADOPT_EVERY_S = 2.0


@dataclass(frozen=True)
class _Pending:
    signal: SignalName
    tenant: str
    resources: int
    body: bytes
    kept: "Future[None]"


@dataclass(frozen=True)
class _Record:
    """A body with its frame, and everybody who sent it."""

    frame: bytes
    body: bytes
    digest: bytes
    senders: "list[Future[None]]" = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        return len(self.frame) + len(self.body)


@dataclass
class _Pace:
    """How often segments of a signal are loaded."""

    taken_s: float = -LONG_S
    load_s: float = 0.0


class Spool:
    """Segments in a folder that one collector owns. Safe to use from several threads."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        counters: Counters | None = None,
        *,
        disk: Disk = DISK,
        clock: Clock = CLOCK,
        threaded: bool = True,
    ) -> None:
        """Opens the folder and finds what an earlier collector left there.

        Args:
            folder: made if it is not there.
            settings: how much to keep, and how.
            counters: where to count.
            disk: files; another one plays faults.
            clock: time; another one plays it.
            threaded: without a thread of its own, `write_waiting` must be called for anything to be kept.

        Raises:
            SpoolBusyError: another collector has it open.
            OSError: the folder cannot be used.
        """
        self.folder = folder
        self.counters = counters or Counters()
        self._settings = settings
        self._disk = disk
        self._clock = clock
        self._lock_handle: int | None = _locked(disk, folder)
        self._files = Folder(folder, disk, clock, self.counters)
        self._seen = Seen(folder / "seen", settings.seen_seconds, settings.seen_bodies, disk, clock)
        self.graves = Graves(folder, disk)
        lock = threading.Lock()
        self._changed = threading.Condition(lock)
        """For loaders: there may be a segment to take."""
        self._arrived = threading.Condition(lock)
        """For the writer: there are bodies to write, or no more will come."""
        self._pending: list[_Pending] = []
        self._pending_bytes = 0
        self._open: dict[SignalName, Segment] = {}
        self._writing: Segment | None = None
        self._wanted: Segment | None = None
        self._loading: list[Segment] = []
        self._undeleted: list[Segment] = []
        self._paces: dict[SignalName, _Pace] = {signal: _Pace() for signal in SIGNALS}
        self._busy_since_s: float | None = None
        self._loads = 0
        self._thriving = True
        """Whether the last load succeeded."""
        self._adopted_s = clock.monotonic() - ADOPT_EVERY_S
        self._stopping = False
        self._trouble = ""
        self._sealed = list(self._files.leftovers(self._seen))
        self._size_bytes = sum(found.size_bytes for found in self._sealed)
        self._writer = threading.Thread(target=self._write_for_ever, name="tollbook-spool", daemon=True) if threaded else None
        if self._writer is not None:
            self._writer.start()

    # Appending

    def append(self, signal: SignalName, body: bytes, *, tenant: str = DEFAULT_TENANT, resources: int) -> "Future[None]":
        """Keeps a tenant's body; the future is done once it is on disk, or fails with UnavailableError.

        A body seen lately is kept already. A future that is cancelled before its body is written takes the body back.

        Args:
            signal: what it is an export of.
            body: an export request without any field at the top but 1.
            tenant: whose it is, at most 63 bytes.
            resources: its fields 1.

        Raises:
            UnavailableError: the spool is full, the disk is stuck, or the collector is stopping.
        """
        if len(tenant.encode()) > segments.MAX_TENANT_BYTES:
            raise ValueError(f"a tenant's name has at most {segments.MAX_TENANT_BYTES} bytes, got {tenant!r}")
        with self._changed:
            self._refuse_when_full(len(body))
            pending = _Pending(signal, tenant, resources, body, Future())
            self._pending.append(pending)
            self._pending_bytes += len(body)
            self._arrived.notify()
        return pending.kept

    def _refuse_when_full(self, body_bytes: int) -> None:
        if self._stopping:
            raise UnavailableError("the collector is stopping")
        waiting = self._pending_bytes + body_bytes
        if stuck := self._stuck():
            raise UnavailableError(stuck, retry_after_s=2)
        if self._pending_bytes and waiting > self._settings.spool_pending_bytes:
            raise UnavailableError(f"the disk is too slow: {self._pending_bytes} bytes wait for it", retry_after_s=2)
        if self._size_bytes + waiting > self._settings.spool_max_bytes:
            raise UnavailableError(f"the spool is full: {self._size_bytes} bytes wait for the store", retry_after_s=5)

    def _stuck(self) -> str:
        """What to say of a disk that stands still; empty while it does not."""
        since_s = self._busy_since_s
        stuck_s = 0.0 if since_s is None else self._clock.monotonic() - since_s
        return f"the disk has not answered for {stuck_s:.0f} s" if stuck_s > self._settings.ack_timeout_ms / 1000 else ""

    def _write_for_ever(self) -> None:
        while self._wait_for_bodies():
            self.write_waiting()

    def _wait_for_bodies(self) -> bool:
        with self._arrived:
            self._arrived.wait_for(lambda: self._pending or self._stopping)
            return bool(self._pending)

    def write_waiting(self) -> None:
        """Writes all bodies that wait, and syncs them once for each segment they go to."""
        with self._changed:
            batch, self._pending = self._pending, []
            self._busy_since_s = self._clock.monotonic()
        for signal in SIGNALS:
            self._write(signal, [pending for pending in batch if pending.signal == signal])
        with self._changed:
            self._pending_bytes -= sum(len(pending.body) for pending in batch)
            self._busy_since_s = None

    def _write(self, signal: SignalName, batch: Sequence[_Pending]) -> None:
        """Writes and syncs bodies of one signal, in pieces that keep segments near their size."""
        for piece in _pieces(self._unseen(signal, batch), self._settings.segment_bytes):
            try:
                self._refuse_without_space(sum(record.size_bytes for record in piece))
                written = self._write_piece(signal, piece)
            except UnavailableError as refusal:
                self._refuse_piece(piece, refusal)
            except OSError as error:
                self._give_up(signal)
                self._refuse_piece(
                    piece, UnavailableError(f"cannot write to the spool: {error.strerror or error}", retry_after_s=5)
                )
            else:
                self._acknowledge(written, piece)

    def _unseen(self, signal: SignalName, batch: Iterable[_Pending]) -> list[_Record]:
        """The bodies to write, each once; those seen before are acknowledged, those whose sender left are dropped."""
        fresh: dict[bytes, _Record] = {}
        for pending in batch:
            if not pending.kept.set_running_or_notify_cancel():
                continue
            digest = segments.digest(signal, pending.tenant, pending.body)
            if digest in fresh or digest in self._seen:
                self.counters.add("repeated_total", signal=signal)
            if digest in fresh:
                fresh[digest].senders.append(pending.kept)
            elif digest in self._seen:
                pending.kept.set_result(None)
            else:
                frame = segments.frame(len(pending.body), digest, pending.resources, pending.tenant)
                fresh[digest] = _Record(frame, pending.body, digest, [pending.kept])
        return list(fresh.values())

    def _refuse_without_space(self, size_bytes: int) -> None:
        free_bytes = self._disk.free_bytes(self.folder)
        if free_bytes - size_bytes < self._settings.min_free_bytes:
            raise UnavailableError(f"the disk is nearly full: {free_bytes} bytes are free", retry_after_s=5)

    def _write_piece(self, signal: SignalName, piece: Sequence[_Record]) -> Segment:
        with self._changed:  # in one go, so that no loader takes it in between
            segment = self._writing = self._open.get(signal)
        segment = segment or self._opened(signal)
        assert segment.handle is not None
        self._disk.write(segment.handle, [part for record in piece for part in (record.frame, record.body)])
        self._disk.sync(segment.handle)
        return segment

    def _opened(self, signal: SignalName) -> Segment:
        segment = self._files.new(signal)
        with self._changed:
            self._open[signal] = self._writing = segment
        self._disk.sync_folder(self.folder)
        return segment

    def _acknowledge(self, segment: Segment, piece: Sequence[_Record]) -> None:
        digests = b"".join(record.digest for record in piece)
        written = sum(record.size_bytes for record in piece)
        self._seen.add(digests)
        with self._changed:
            segment.size_bytes += written
            segment.digests += digests
            self._size_bytes += written
            self._writing = None
            self._trouble = ""
            full = segment.size_bytes >= self._settings.segment_bytes
            if full or segment is self._wanted:
                del self._open[segment.signal]
        if full:
            self._files.seal(segment)
            self._files.forget_digests(segment)
        with self._changed:
            if segment.signal not in self._open:
                self._sealed.append(segment)
            if segment.size_bytes == written or segment.signal not in self._open:
                self._changed.notify_all()
        for record in piece:
            for sender in record.senders:
                sender.set_result(None)

    def _refuse_piece(self, piece: Sequence[_Record], refusal: UnavailableError) -> None:
        self._trouble = str(refusal)
        for record in piece:
            for sender in record.senders:
                sender.set_exception(refusal)

    def _give_up(self, signal: SignalName) -> None:
        """The disk did not take a piece: nothing more goes to that file, and what was acknowledged of it is loaded.

        A sync that failed once may say yes the next time without having written anything, so it is never tried again.
        """
        with self._changed:
            segment = self._open.pop(signal, None)
            self._writing = None
        if segment is None:
            return
        segment.unacknowledged_tail = True
        self._files.close(segment)
        with suppress(OSError):
            self._files.cut_tail(segment)
        if segment.digests:
            with self._changed:
                self._sealed.append(segment)
                self._changed.notify_all()
        else:
            with suppress(OSError):
                self._files.delete(segment)

    # Loading

    def take(self, timeout_s: float, *, now: bool = False) -> Segment | None:
        """The oldest segment that is due, which is the caller's until `done` or `put_back`; none if none comes due in time.

        An open segment is due after a time that grows with the duration of loads, or at once with `now`. What comes was checked
        unless it was written a moment ago.
        """
        deadline_s = self._clock.monotonic() + timeout_s
        self._adopt()
        while True:
            segment = self._lent(deadline_s, now)
            if segment is None or self._ready(segment):
                return segment

    def _lent(self, deadline_s: float, now: bool) -> Segment | None:
        with self._changed:
            while True:
                segment, wait_s = self._due(now)
                left_s = deadline_s - self._clock.monotonic()
                if segment is not None or left_s <= 0:
                    break
                self._changed.wait(min(left_s, max(wait_s, 0.001)))
            if segment is not None:
                self._loading.append(segment)
                self._paces[segment.signal].taken_s = segment.taken_s = self._clock.monotonic()
            return segment

    def _due(self, now: bool) -> tuple[Segment | None, float]:
        """A segment that is due, or seconds to wait for one: sealed ones first, then open ones.

        After a failure, those that keep failing let all others go first; after a success the oldest has its turn.
        """
        moment_s = self._clock.monotonic()
        ready = [segment for segment in self._sealed if segment.not_before_s <= moment_s]
        segment = _oldest(segment for segment in ready if self._thriving or segment.failures < SUSPECT_FAILURES)
        wait_s = min((segment.not_before_s - moment_s for segment in self._sealed if segment not in ready), default=LONG_S)
        if segment is None:
            segment, open_wait_s = self._due_open(moment_s, now)
            wait_s = min(wait_s, open_wait_s)
        segment = segment or _oldest(ready)
        if segment is not None and segment in self._sealed:
            self._sealed.remove(segment)
        return segment, wait_s

    def _due_open(self, moment_s: float, now: bool) -> tuple[Segment | None, float]:
        """An open segment that is due; one that is being written is asked for and comes sealed."""
        for segment in sorted(self._open.values(), key=lambda segment: segment.number):
            wait_s = 0.0 if now else self._due_s(segment) - moment_s
            if wait_s > 0:
                continue
            if segment is self._writing or not segment.digests:
                self._wanted = segment
                continue
            return self._open.pop(segment.signal), 0
        return None, min(LOOK_S, self._settings.segment_ms / 10_000) if self._open else LONG_S

    def _due_s(self, segment: Segment) -> float:
        """When an open segment is to be loaded: soon after a quiet time; while it is small the later the longer loads take."""
        full_s = self._settings.segment_ms / 1000
        pace = self._paces[segment.signal]
        share = LOAD_SHARE if segment.size_bytes < SPARSE_BYTES else 0
        gather_s = min(max(full_s, share * pace.load_s), LONGEST_GATHER * full_s)
        return max(segment.opened_s + full_s / 4, pace.taken_s + gather_s)

    def _ready(self, segment: Segment) -> bool:
        """Makes a segment fit for loading: ends its file, checks what may have changed. A segment that cannot be read waits."""
        try:
            self._files.cut_tail(segment)
            self._files.close(segment)
            before_bytes = segment.size_bytes
            if segment.unmended:
                self._files.mend(segment, self._seen)
            elif segment.checked_s is None or self._clock.monotonic() - segment.checked_s > CHECK_AFTER_S:
                self._files.check(segment)  # may leave nothing, which its index does not know
            else:
                self._files.recall_digests(segment)
            if not segment.indexed:
                self._files.seal(segment)
        except OSError as error:
            self._trouble = f"cannot read the spool: {error.strerror or error}"
            self._give_up_reading(segment, error)
            return False
        with self._changed:
            self._size_bytes += segment.size_bytes - before_bytes
        if not segment.digests:
            self.done(segment)
        return bool(segment.digests)

    def _give_up_reading(self, segment: Segment, error: OSError) -> None:
        """A segment that cannot be read waits, ever longer; one that still cannot be is set aside."""
        wait_s = min(FIRST_RETRY_S * 2**segment.failures, LONGEST_RETRY_S)
        if segment.failures < UNREADABLE_FAILURES:
            self.put_back(segment, suspect=True, wait_s=wait_s)
            return
        try:
            self._files.set_aside_whole(segment, error)
        except OSError:
            self.put_back(segment, suspect=True, wait_s=wait_s)
        else:
            self.done(segment)

    def _adopt(self) -> None:
        """Takes in what somebody put into `retry/`."""
        with self._changed:
            moment_s = self._clock.monotonic()
            if moment_s - self._adopted_s < ADOPT_EVERY_S:
                return
            self._adopted_s = moment_s
        with suppress(OSError):
            adopted = self._files.adopt()
            with self._changed:
                self._sealed += adopted
                self._size_bytes += sum(segment.size_bytes for segment in adopted)

    def content(self, segment: Segment) -> bytes:
        """All of a segment that was taken."""
        return self._disk.read(segment.path)

    @contextmanager
    def part(self, segment: Segment, number: int, content: bytes) -> Iterator[Path]:
        """A file beside a segment that was taken, for the time of a load."""
        path = segment.path.with_suffix(f".part-{number}")
        try:
            write_whole(self._disk, path, content, sync=False)
            yield path
        finally:
            with suppress(OSError):
                self._disk.unlink(path)

    def done(self, segment: Segment, buried: Collection[bytes] = ()) -> None:
        """The store has the segment, but for the bodies `buried`: its file goes."""
        digests = bytes(segment.digests)
        self._seen.keep(b"".join(digest for digest in _each(digests) if digest not in buried) if buried else digests)
        with self._changed:
            self._paces[segment.signal].load_s = self._clock.monotonic() - segment.taken_s
            self._loads += 1
            self._thriving = True
            self._loading.remove(segment)
            self._size_bytes -= segment.size_bytes
            self._undeleted.append(segment)
            self._changed.notify_all()
        self._delete()

    def _delete(self) -> None:
        """Deletes files of loaded segments; one that cannot be deleted now is tried again with the next."""
        with self._changed:
            going, self._undeleted = self._undeleted, []
        for segment in going:
            try:
                self._files.delete(segment)
            except OSError as error:
                self._trouble = f"cannot tidy the spool: {error.strerror or error}"
                with self._changed:
                    self._undeleted.append(segment)

    def put_back(self, segment: Segment, *, suspect: bool = False, wait_s: float = 0.0) -> None:
        """The store could not take the segment now: it waits for another try.

        A suspect one lets others go before it, and waits the longer the more of them were loaded between its failures: only that
        tells what cannot be loaded from a store that is ill. It waits `wait_s` in any case.
        """
        with self._changed:
            self._thriving = False
            if suspect:
                segment.failures += 1
                segment.outrun += self._loads > segment.failed_at
                segment.failed_at = self._loads
                late = segment.outrun - SUSPECT_FAILURES
                wait_s = max(wait_s, min(FIRST_RETRY_S * 2**late, LONGEST_RETRY_S) if late > 0 else 0)
            segment.not_before_s = self._clock.monotonic() + wait_s
            self._files.forget_digests(segment)
            self._loading.remove(segment)
            self._sealed.append(segment)
            self._changed.notify_all()

    # How it is

    def samples(self) -> list[Sample]:
        """How much waits, and for how long."""
        with self._changed:
            waiting = [*self._sealed, *self._loading, *self._open.values()]
            size_bytes, pending_bytes = self._size_bytes, self._pending_bytes
        return [
            Sample("spool_bytes", size_bytes),
            Sample("spool_segments", len(waiting)),
            Sample("spool_oldest_seconds", round(self._age_s(waiting), 3)),
            Sample("spool_pending_bytes", pending_bytes),
            Sample("dead", self.graves.summary().count),
        ]

    @property
    def oldest_s(self) -> float:
        """How long the oldest segment has waited; 0 where none does."""
        with self._changed:
            waiting = [*self._sealed, *self._loading, *self._open.values()]
        return self._age_s(waiting)

    def _age_s(self, waiting: Sequence[Segment]) -> float:
        oldest = _oldest(waiting)
        return 0.0 if oldest is None else max(0.0, (self._clock.time_ns() - oldest.opened_ns) / 1e9)

    @property
    def trouble(self) -> str:
        """Why the disk took nothing the last time; empty while all is well."""
        return self._stuck() or self._trouble

    @property
    def stopping(self) -> bool:
        """Whether bodies are refused, so that open segments need not wait for more."""
        return self._stopping

    @property
    def empty(self) -> bool:
        """Whether everything acknowledged is in the store."""
        with self._changed:
            return not (self._pending_bytes or self._pending or self._sealed or self._loading or self._open)

    # Starting and stopping

    def refuse(self, timeout_s: float = LONG_S) -> None:
        """Takes no more bodies; those appended before are still written, then the writer ends."""
        with self._changed:
            self._stopping = True
            self._arrived.notify()
            self._changed.notify_all()
        if self._writer is not None:
            self._writer.join(timeout_s)

    def close(self, timeout_s: float = LONG_S) -> None:
        """Seals everything and lets the folder go. What is not loaded is found at the next start.

        With a disk that is stuck longer than `timeout_s`, the folder is held until the process ends.
        """
        self.refuse(timeout_s)
        if self._writer is not None and self._writer.is_alive():
            return
        with self._changed:
            ending, self._open = list(self._open.values()), {}
            self._sealed += ending
            self._changed.notify_all()
        for segment in ending:
            self._files.seal(segment)
        self._seen.close()
        handle, self._lock_handle = self._lock_handle, None
        if handle is not None:
            self._disk.close(handle)


def _locked(disk: Disk, folder: Path) -> int:
    disk.make_folder(folder)
    try:
        return disk.lock(folder / "lock")
    except BlockingIOError as error:
        raise SpoolBusyError(f"another collector has the spool {folder} open") from error


def _pieces(records: Sequence[_Record], piece_bytes: int) -> Iterable[Sequence[_Record]]:
    """The records in stretches of at most `piece_bytes`, or of one where it alone is larger."""
    piece: list[_Record] = []
    size_bytes = 0
    for record in records:
        if piece and size_bytes + len(record.body) > piece_bytes:
            yield piece
            piece, size_bytes = [], 0
        piece.append(record)
        size_bytes += len(record.body)
    if piece:
        yield piece


def _oldest(waiting: Iterable[Segment]) -> Segment | None:
    return min(waiting, key=lambda segment: segment.number, default=None)


def _each(digests: bytes) -> Iterator[bytes]:
    return (digests[place : place + segments.DIGEST_BYTES] for place in range(0, len(digests), segments.DIGEST_BYTES))
