"""The spool: what was acknowledged and is not in the store yet, as segment files on disk.

Senders append; one thread writes what has gathered and syncs it once for all of them (group commit). Loaders take the oldest
segment, load it and say so, and only then its file goes. Everything a segment needs is in its file and its name, so a killed
collector finds it all again.
"""

import contextlib
import fcntl
import hashlib
import os
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import IO, Literal

from tollbook_collector import segment as segments
from tollbook_collector.counters import Counters, Sample
from tollbook_collector.errors import SpoolBusyError, UnavailableError
from tollbook_collector.seen import Seen
from tollbook_collector.settings import Settings
from tollbook_collector.signals import SignalName

SUFFIX = ".otlp"
LONG_S = 60.0
SUSPECT_FAILURES = 3
sync = getattr(os, "fdatasync", os.fsync)


@dataclass
class Segment:
    """One file of the spool."""

    signal: SignalName
    opened_ns: int
    """When its first record came, Unix time; part of its name, so that every load of it says the same."""
    path: Path
    size_bytes: int = 0
    """Bytes known to be on disk."""
    digests: list[bytes] = field(default_factory=list)
    """Digest of each body in it, in order."""
    file: IO[bytes] | None = None
    """Open while records are still appended."""
    failures: int = 0
    """Loads of it that failed while the store answered."""
    unacknowledged_tail: bool = False
    """A write failed and the bytes after `size_bytes` could not be cut off yet."""

    @property
    def received_at(self) -> datetime:
        """When it was opened, to the second, as the store keeps it."""
        return datetime.fromtimestamp(self.opened_ns // 1_000_000_000, UTC)

    @property
    def token(self) -> str:
        """Identity of its content; the store takes a token once."""
        return hashlib.sha256(self.signal.encode() + b"".join(self.digests)).hexdigest()


@dataclass(frozen=True)
class _Pending:
    signal: SignalName
    body: bytes
    digest: bytes
    frame: bytes
    kept: "Future[None]"


class Spool:
    """Segments in a folder that one collector owns. Safe to use from several threads."""

    def __init__(self, folder: Path, settings: Settings, counters: Counters | None = None) -> None:
        """Opens the folder and finds what an earlier collector left there.

        Raises:
            SpoolBusyError: another collector has it open.
            OSError: the folder cannot be used.
        """
        self.folder = folder
        self.counters = counters or Counters()
        self._settings = settings
        self._lock_file = _locked(folder)
        self._changed = threading.Condition()
        self._writing = threading.Lock()
        self._sequence = count()
        self._pending: list[_Pending] = []
        self._pending_bytes = 0
        self._unkept: dict[bytes, Future[None]] = {}
        self._open: dict[SignalName, Segment] = {}
        self._loading: list[Segment] = []
        self._stopping = False
        self._trouble = ""
        self._seen = Seen(folder / "seen", settings.seen_seconds)
        self._sealed = self._recovered()
        self._size_bytes = sum(found.size_bytes for found in self._sealed)
        for found in self._sealed:
            self._seen.add(found.digests)
        self._writer = threading.Thread(target=self._write_for_ever, name="tollbook-spool", daemon=True)
        self._writer.start()

    # Appending

    def append(self, signal: SignalName, body: bytes, *, tenant: str = "default", resources: int) -> "Future[None]":
        """Keeps a tenant's body with so many resources; the future is done once it is on disk, or fails with UnavailableError.

        A body seen lately is kept already. It must have no top-level field but 1, and `resources` of that.

        Raises:
            UnavailableError: the spool is full or stopping.
        """
        digest = segments.digest(signal, tenant, body)
        frame = segments.frame(len(body), digest, resources, tenant)
        with self._changed:
            if digest in self._unkept or digest in self._seen:
                self.counters.add("repeated_total", signal=signal)
                return self._unkept.get(digest) or _done()
            self._refuse_when_full(len(body))
            pending = _Pending(signal, body, digest, frame, Future())
            pending.kept.set_running_or_notify_cancel()  # a sender that goes away does not cancel the write
            self._unkept[digest] = pending.kept
            self._pending.append(pending)
            self._pending_bytes += len(body)
            self._changed.notify_all()
        return pending.kept

    def _refuse_when_full(self, body_bytes: int) -> None:
        if self._stopping:
            raise UnavailableError("the collector is stopping")
        if self._size_bytes + self._pending_bytes + body_bytes > self._settings.spool_max_bytes:
            raise UnavailableError(f"the spool is full: {self._size_bytes} bytes wait for the store", retry_after_s=5)

    def _write_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._stopping)
                batch, self._pending, self._pending_bytes = self._pending, [], 0
                if not batch:
                    return
            with self._writing:
                for signal in ("traces", "metrics", "logs"):
                    self._write(signal, [pending for pending in batch if pending.signal == signal])

    def _write(self, signal: SignalName, batch: Sequence[_Pending]) -> None:
        """Writes and syncs bodies of one signal, in pieces that keep segments near their size."""
        for piece in _pieces(batch, self._settings.segment_bytes):
            try:
                written = self._write_piece(signal, piece)
            except OSError as error:
                self._give_up(signal, piece, error)
            else:
                self._acknowledge(written, piece)

    def _write_piece(self, signal: SignalName, piece: Sequence[_Pending]) -> Segment:
        segment = self._open.get(signal) or self._opened(signal)
        assert segment.file is not None
        for pending in piece:
            segment.file.write(pending.frame)
            segment.file.write(pending.body)
        segment.file.flush()
        sync(segment.file.fileno())
        return segment

    def _opened(self, signal: SignalName) -> Segment:
        opened_ns = time.time_ns()
        path = self.folder / f"{signal}-{opened_ns:020d}-{next(self._sequence):06d}{SUFFIX}"
        segment = Segment(signal, opened_ns, path, file=_private(path, "xb"))
        with self._changed:
            self._open[signal] = segment
        _sync_folder(self.folder)
        return segment

    def _acknowledge(self, segment: Segment, piece: Sequence[_Pending]) -> None:
        digests = [pending.digest for pending in piece]
        written = sum(len(pending.body) + len(pending.frame) for pending in piece)
        with self._changed:
            segment.size_bytes += written
            segment.digests += digests
            self._size_bytes += written
            self._trouble = ""
            self._seen.add(digests)
            for digest in digests:
                self._unkept.pop(digest, None)
            if segment.size_bytes >= self._settings.segment_bytes:
                self._seal(segment.signal)
            self._changed.notify_all()
        for pending in piece:
            pending.kept.set_result(None)

    def _give_up(self, signal: SignalName, piece: Sequence[_Pending], error: OSError) -> None:
        """The disk did not take a piece: its senders are told so, and nothing more goes to that file.

        A sync that failed once may say yes the next time without having written anything, so it is never tried again.
        """
        with self._changed:
            segment = self._open.pop(signal, None)
            if segment is not None:
                self._abandon(segment)
            for pending in piece:
                self._unkept.pop(pending.digest, None)
        self._trouble = f"cannot write to the spool: {error.strerror or error}"
        refusal = UnavailableError(self._trouble, retry_after_s=5)
        for pending in piece:
            pending.kept.set_exception(refusal)

    def _abandon(self, segment: Segment) -> None:
        """What was acknowledged of a segment is loaded, what was not is cut off."""
        segment.unacknowledged_tail = True
        with contextlib.suppress(OSError):
            _close(segment)
        if segment.digests:
            _cut_tail(segment)
            self._sealed.append(segment)
            return
        with contextlib.suppress(OSError):
            segment.path.unlink()

    # Loading

    def take(self, timeout_s: float, *, now: bool = False) -> Segment | None:
        """The oldest segment that is due, which is the caller's until `done` or `put_back`; none if none comes due in time.

        An open segment is due once it is `segment_ms` old, or at once with `now`.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            segment, wait_s = self._take_due(now)
            left_s = deadline - time.monotonic()
            if segment is not None or left_s <= 0:
                return segment
            with self._changed:
                self._changed.wait(min(left_s, max(wait_s, 0.001)))

    def _take_due(self, now: bool) -> tuple[Segment | None, float]:
        """A segment that is due, or seconds to wait for one: sealed ones first, then open ones, last those that keep failing."""
        with self._changed:
            segment = self._lend_oldest(segment for segment in self._sealed if segment.failures < SUSPECT_FAILURES)
            if segment is not None:
                return segment, 0
        segment, wait_s = self._take_open(now)
        if segment is None:
            with self._changed:
                segment = self._lend_oldest(self._sealed)
        return segment, wait_s

    def _take_open(self, now: bool) -> tuple[Segment | None, float]:
        with self._writing, self._changed:
            oldest = min(self._open.values(), key=lambda segment: segment.opened_ns, default=None)
            if oldest is None:
                return None, LONG_S
            full_age_ns = 0 if now else self._settings.segment_ms * 1_000_000
            due_ns = oldest.opened_ns + full_age_ns - time.time_ns()
            if due_ns > 0:
                return None, min(due_ns, full_age_ns) / 1e9
            self._seal(oldest.signal)
            return self._lend_oldest([oldest]), LONG_S

    def _lend_oldest(self, waiting: Iterable[Segment]) -> Segment | None:
        segment = min((segment for segment in waiting if _cut_tail(segment)), key=lambda segment: segment.opened_ns, default=None)
        if segment is not None:
            self._sealed.remove(segment)
            self._loading.append(segment)
        return segment

    def _seal(self, signal: SignalName) -> None:
        segment = self._open.pop(signal)
        _close(segment)
        self._sealed.append(segment)

    def done(self, segment: Segment) -> None:
        """The store has the segment: its file goes."""
        with self._changed:
            with contextlib.suppress(OSError):
                self._seen.keep(segment.path.stem, segment.digests)
            self._loading.remove(segment)
            self._size_bytes -= segment.size_bytes
        segment.path.unlink(missing_ok=True)

    def put_back(self, segment: Segment, *, suspect: bool = False) -> None:
        """The store could not take the segment now: it waits for another try. A suspect one lets others go before it."""
        with self._changed:
            segment.failures += suspect
            self._loading.remove(segment)
            self._sealed.append(segment)
            self._changed.notify_all()

    def samples(self) -> list[Sample]:
        """How much waits, and for how long."""
        with self._changed:
            waiting = [*self._sealed, *self._loading, *self._open.values()]
            size_bytes = self._size_bytes
        oldest_ns = min((segment.opened_ns for segment in waiting), default=None)
        age_s = 0.0 if oldest_ns is None else max(0.0, (time.time_ns() - oldest_ns) / 1e9)
        return [
            Sample("spool_bytes", size_bytes),
            Sample("spool_segments", len(waiting)),
            Sample("spool_oldest_seconds", round(age_s, 3)),
        ]

    @property
    def trouble(self) -> str:
        """Why the disk took nothing the last time; empty while all is well."""
        return self._trouble

    @property
    def stopping(self) -> bool:
        """Whether bodies are refused, so that open segments need not wait for more."""
        return self._stopping

    @property
    def empty(self) -> bool:
        """Whether everything acknowledged is in the store."""
        with self._changed:
            return not (self._pending or self._unkept or self._sealed or self._loading or self._open)

    # Starting and stopping

    def refuse(self) -> None:
        """Takes no more bodies; those appended before are still written, then the writer ends."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._writer.join()

    def close(self) -> None:
        """Seals everything and lets the folder go. What is not loaded is found at the next start."""
        self.refuse()
        with self._changed:
            for signal in list(self._open):
                self._seal(signal)
            self._changed.notify_all()
        self._lock_file.close()

    def _recovered(self) -> list[Segment]:
        return [found for path in sorted(self.folder.glob(f"*{SUFFIX}")) if (found := self._recover(path)) is not None]

    def _recover(self, path: Path) -> Segment | None:
        """A segment as an earlier collector left it: whole records kept, a torn tail cut off, damage set aside."""
        signal, opened_ns = _named(path)
        data = path.read_bytes()
        found = list(segments.scan(signal, data))
        records = [item for item in found if isinstance(item, segments.Record)]
        damages = [item for item in found if isinstance(item, segments.Damage)]
        if damages and damages[-1].end == len(data) and damages[-1].reason == segments.CUT_OFF:
            torn = damages.pop()
            self.counters.add("torn_total")
            data = data[: torn.start]
        if damages:
            self._set_aside(path, data, damages)
        if not records:
            path.unlink()
            return None
        kept = b"".join(data[record.start : record.end] for record in records)
        if len(kept) != path.stat().st_size:
            _replace(path, kept)
        return Segment(signal, opened_ns, path, len(kept), [record.frame.digest for record in records])

    def _set_aside(self, path: Path, data: bytes, damages: Iterable[segments.Damage]) -> None:
        folder = self.folder / "damaged"
        folder.mkdir(mode=0o700, exist_ok=True)
        for damage in damages:
            self.counters.add("damaged_total")
            aside = folder / f"{path.stem}-{damage.start}.bin"
            aside.write_bytes(data[damage.start : damage.end])
            aside.with_suffix(".reason").write_text(f"bytes {damage.start} to {damage.end} of {path.name}: {damage.reason}\n")


def _locked(folder: Path) -> IO[bytes]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = _private(folder / "lock", "ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise SpoolBusyError(f"another collector has the spool {folder} open") from error
    return file


def _named(path: Path) -> tuple[SignalName, int]:
    names: dict[str, SignalName] = {"traces": "traces", "metrics": "metrics", "logs": "logs"}
    signal, opened_ns, _sequence = path.stem.split("-")
    return names[signal], int(opened_ns)


def _pieces(batch: Sequence[_Pending], piece_bytes: int) -> Iterable[Sequence[_Pending]]:
    """The batch in stretches of at most `piece_bytes`, or of one body where it alone is larger."""
    piece: list[_Pending] = []
    size_bytes = 0
    for pending in batch:
        if piece and size_bytes + len(pending.body) > piece_bytes:
            yield piece
            piece, size_bytes = [], 0
        piece.append(pending)
        size_bytes += len(pending.body)
    if piece:
        yield piece


def _cut_tail(segment: Segment) -> bool:
    """Whether the segment's file ends where its acknowledged bytes do; cuts it there if a failed write left more."""
    if segment.unacknowledged_tail:
        try:
            os.truncate(segment.path, segment.size_bytes)
        except OSError:
            return False
        segment.unacknowledged_tail = False
    return True


def _close(segment: Segment) -> None:
    file, segment.file = segment.file, None
    if file is not None:
        file.close()


def _replace(path: Path, content: bytes) -> None:
    """Puts other content in place of a file's, all or nothing."""
    draft = path.with_suffix(".draft")
    with _private(draft, "wb") as file:
        file.write(content)
        file.flush()
        sync(file.fileno())
    draft.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Makes a new name in the folder survive a loss of power."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _private(path: Path, mode: Literal["xb", "ab", "wb"]) -> IO[bytes]:
    """Opens a file for writing that only its owner can read."""
    return open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600))


def _done() -> "Future[None]":
    done: Future[None] = Future()
    done.set_result(None)
    return done
