"""Segment files in the spool's folder: their names and indexes, what an earlier collector left, what is damaged.

A sealed segment has an index beside it, its size and the digests of its bodies. So a start reads indexes and no bodies, however
much waits; whole bodies are checked when their segment is taken for loading. Only a segment without a right index, the one that
was open when the collector ended, is read at the start.
"""

import contextlib
import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Protocol, cast

from tollbook_collector import segment as segments
from tollbook_collector.counters import Counters
from tollbook_collector.disk import Clock, Disk, write_whole
from tollbook_collector.signals import SignalName

INDEX = ".index"
NAME = re.compile(r"(traces|metrics|logs)-(\d{20})-(\d{6,12})\.otlp")
OURS = re.compile(r"(traces|metrics|logs)-\d{20}-\d{6,12}\.(index|part-\d+)|.*\.draft")
RETRIED = re.compile(r"(traces|metrics|logs)-.*\.otlp")
DAMAGED = "damaged"
RETRY = "retry"

MAGIC = b"TBindex1"
TOKEN_BYTES = 32
INDEX_HEAD = struct.Struct("<8sQ32sI")


class Known(Protocol):
    """Digests of bodies that are kept somewhere already."""

    def add(self, digests: bytes) -> None:
        """Adds digests, one after another."""

    def __contains__(self, digest: bytes) -> bool:
        """Whether a digest was added."""


@dataclass(eq=False)
class Segment:
    """One file of the spool."""

    signal: SignalName
    opened_ns: int
    """When its first record came, Unix time; part of its name, so that every load of it says the same."""
    number: int
    """Place in the order of arrival, which clocks do not tell."""
    path: Path
    size_bytes: int = 0
    """Bytes known to be on disk."""
    digests: bytearray = field(default_factory=bytearray)
    """Digest of each body in it, in order, one after another; empty while only its index holds them."""
    handle: int | None = None
    """Open while records are still appended."""
    opened_s: float = 0.0
    """When its first record came, on the clock that never goes back; when it was found, where an earlier collector left it."""
    checked_s: float | None = None
    """When its bodies were last known to be right, on that clock; none for what an earlier collector left."""
    failures: int = 0
    """Loads of it that failed while the store answered."""
    outrun: int = 0
    """How many of them came after loads of others that succeeded."""
    failed_at: int = -1
    """Loads that had succeeded by its last failure."""
    taken_s: float = 0.0
    """When a loader took it last, on that clock."""
    not_before_s: float = 0.0
    """When it may be tried again, on that clock."""
    unmended: bool = False
    """It has no index and could not be read through at the start."""
    unacknowledged_tail: bool = False
    """A write failed and the bytes after `size_bytes` could not be cut off yet."""
    indexed: bool = False
    """Whether an index of it lies beside it."""
    first_token: str = ""
    """Its token when it was sealed. A bit that flips afterwards does not change it: what was loaded before stays loaded once."""

    @property
    def received_at(self) -> datetime:
        """When it was opened, to the second, as the store keeps it."""
        return datetime.fromtimestamp(min(max(self.opened_ns // 1_000_000_000, 0), segments.LAST_SECOND), UTC)

    @property
    def token(self) -> str:
        """Identity of its content; the store takes a token once."""
        return self.first_token or token(self.signal, bytes(self.digests))

    @property
    def bodies(self) -> int:
        """How many are in it, while their digests are in memory."""
        return len(self.digests) // segments.DIGEST_BYTES


def token(signal: str, digests: bytes) -> str:
    """Identity of bodies in their order."""
    return hashlib.sha256(signal.encode() + digests).hexdigest()


class OnDisk:
    """Bytes of a file, a megabyte read at a time; see `segment.Content`."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self.size_bytes = disk.size(path)
        self._disk = disk
        self._path = path
        self._start = 0
        self._window = b""

    def read(self, start: int, end: int) -> bytes:
        """See `segment.Content`."""
        end = min(end, self.size_bytes)
        if not self._start <= start <= end <= self._start + len(self._window):
            self._start = start
            self._window = self._disk.read(self._path, start, max(end - start, segments.WINDOW_BYTES))
        return self._window[start - self._start : end - self._start]


class Folder:
    """The files of one spool. Only the thread that a segment belongs to at the time may call with it."""

    def __init__(self, path: Path, disk: Disk, clock: Clock, counters: Counters) -> None:
        self.path = path
        self._disk = disk
        self._clock = clock
        self._counters = counters
        self._numbers = count()

    def new(self, signal: SignalName) -> Segment:
        """A segment with its file, open for records."""
        segment = self._named(signal, self._clock.time_ns())
        segment.handle = self._disk.create(segment.path)
        segment.checked_s = segment.opened_s
        return segment

    def _named(self, signal: SignalName, opened_ns: int) -> Segment:
        number = next(self._numbers)
        path = self.path / f"{signal}-{max(opened_ns, 0):020d}-{number:09d}{segments.SUFFIX}"
        return Segment(signal, opened_ns, number, path, opened_s=self._clock.monotonic())

    # What an earlier collector left

    def leftovers(self, known: Known) -> Iterator[Segment]:
        """The segments in the folder: those with an index first, then those that had to be read."""
        names = self._disk.names(self.path)
        found = [segment for name in names if (segment := self._segment_named(name)) is not None]
        self._numbers = count(max((segment.number + 1 for segment in found), default=0))
        self._tidy(names, {segment.path.stem for segment in found})
        unindexed = []
        for segment in found:
            if self._read_index(segment):
                known.add(bytes(segment.digests))
                segment.digests = bytearray()
                yield segment
            else:
                unindexed.append(segment)
        for segment in unindexed:
            if self._mended(segment, known):
                yield segment

    def _segment_named(self, name: str) -> Segment | None:
        parts = NAME.fullmatch(name)
        if parts is None:
            return None
        signal, opened_ns, number = cast(SignalName, parts[1]), int(parts[2]), int(parts[3])
        return Segment(signal, opened_ns, number, self.path / name, opened_s=self._clock.monotonic())

    def _tidy(self, names: Iterable[str], stems: set[str]) -> None:
        """Deletes what a collector that was killed left half done."""
        for name in names:
            if OURS.fullmatch(name) and not (name.endswith(INDEX) and name.removesuffix(INDEX) in stems):
                with contextlib.suppress(OSError):
                    self._disk.unlink(self.path / name)

    def _mended(self, segment: Segment, known: Known) -> bool:
        """Whether anything is left of a segment without an index; what cannot be mended now is, when it is taken."""
        segment.unmended = True
        try:
            self.mend(segment, known)
            if not segment.digests:
                self.delete(segment)
                return False
        except OSError:
            with contextlib.suppress(OSError):
                segment.size_bytes = self._disk.size(segment.path)
        return True

    def mend(self, segment: Segment, known: Known) -> None:
        """Checks a segment without an index, and makes it one that has.

        Bodies that stand in another segment as well, or were loaded, are dropped: a write that failed may have left bytes whose
        sender was told to come back. A process that was killed may have written bodies and not synced them; they are synced now,
        because they are acknowledged from here on when they are sent again.

        Raises:
            OSError: it cannot be read, or the disk does not take what has to be written.
        """
        self.check(segment, known)
        if segment.digests:
            self._disk.sync_path(segment.path)
            known.add(bytes(segment.digests))
            self.seal(segment)
        segment.unmended = False

    def adopt(self) -> list[Segment]:
        """Segments that somebody put into `retry/` since the last time."""
        adopted = []
        for name in self._disk.names(self.path / RETRY):
            if parts := RETRIED.fullmatch(name):
                segment = self._named(cast(SignalName, parts[1]), self._clock.time_ns())
                with contextlib.suppress(OSError):
                    segment.size_bytes = self._disk.size(self.path / RETRY / name)
                    self._disk.rename(self.path / RETRY / name, segment.path)
                    adopted.append(segment)
        return adopted

    # Sealing and checking

    def seal(self, segment: Segment) -> None:
        """Ends a segment's file and writes its index, without which the next start reads the segment itself."""
        self.close(segment)
        segment.first_token = segment.token
        told = bytes.fromhex(segment.first_token) + segment.digests
        head = INDEX_HEAD.pack(MAGIC, segment.size_bytes, told[:TOKEN_BYTES], zlib.crc32(told))
        with contextlib.suppress(OSError):
            write_whole(self._disk, _index(segment), head + segment.digests, sync=False)
            segment.indexed = True

    def close(self, segment: Segment) -> None:
        """Ends a segment's file."""
        handle, segment.handle = segment.handle, None
        if handle is not None:
            with contextlib.suppress(OSError):
                self._disk.close(handle)

    def forget_digests(self, segment: Segment) -> None:
        """Leaves a waiting segment's digests to its index."""
        if segment.indexed:
            segment.digests = bytearray()

    def recall_digests(self, segment: Segment) -> None:
        """Brings a segment's digests back into memory, by reading it through if its index is not right any more.

        Raises:
            OSError: neither can be read.
        """
        if not segment.digests and not self._read_index(segment):
            self.check(segment)

    def _read_index(self, segment: Segment) -> bool:
        """Whether the segment has an index that is whole and of its size; it then has its digests."""
        try:
            content = self._disk.read(_index(segment))
            size_bytes = self._disk.size(segment.path)
        except OSError:
            return False
        if len(content) < INDEX_HEAD.size:
            return False
        magic, told_bytes, first_token, check = INDEX_HEAD.unpack_from(content)
        digests = content[INDEX_HEAD.size :]
        if magic != MAGIC or told_bytes != size_bytes or check != zlib.crc32(first_token + digests) or not digests:
            return False
        segment.size_bytes, segment.digests, segment.indexed = size_bytes, bytearray(digests), True
        segment.first_token = first_token.hex()
        return True

    def check(self, segment: Segment, known: Known | None = None) -> None:
        """Reads all of a segment: a torn tail is cut off, damage set aside and counted, bodies in `known` dropped.

        Raises:
            OSError: it cannot be read, or not be mended.
        """
        content = OnDisk(self._disk, segment.path)
        found = list(segments.scan(segment.signal, content))
        damages = [item for item in found if isinstance(item, segments.Damage)]
        records = [item for item in found if isinstance(item, segments.Record) and not (known and item.digest in known)]
        if damages and damages[-1].end == content.size_bytes and damages[-1].reason == segments.CUT_OFF:
            damages.pop()
            self._counters.add("torn_total")
        if damages:
            self._set_aside(segment, content, damages)
        self._keep_only(segment, content, records)
        segment.digests = bytearray(b"".join(record.digest for record in records))
        segment.checked_s = self._clock.monotonic()
        segment.indexed = False

    def _keep_only(self, segment: Segment, content: OnDisk, records: Sequence[segments.Record]) -> None:
        """Leaves nothing but these records in a segment's file."""
        segment.size_bytes = sum(record.end - record.start for record in records)
        if segment.size_bytes == content.size_bytes or not records:
            return
        if records[-1].end == segment.size_bytes:
            self._disk.truncate(segment.path, segment.size_bytes)
        else:
            kept = b"".join(content.read(record.start, record.end) for record in records)
            write_whole(self._disk, segment.path, kept, sync=True)

    def _set_aside(self, segment: Segment, content: OnDisk, damages: Iterable[segments.Damage]) -> None:
        folder = self.path / DAMAGED
        self._disk.make_folder(folder)
        for damage in damages:
            aside = folder / f"{segment.path.stem}-{damage.start}.bin"
            reason = f"bytes {damage.start} to {damage.end} of {segment.path.name}: {damage.reason}\n"
            write_whole(self._disk, aside, content.read(damage.start, damage.end), sync=False)
            write_whole(self._disk, aside.with_suffix(".reason"), reason.encode(), sync=False)
            self._counters.add("damaged_total")

    def set_aside_whole(self, segment: Segment, error: OSError) -> None:
        """Puts away a segment that cannot be read.

        Raises:
            OSError: it cannot be put away either.
        """
        aside = self.path / DAMAGED / f"{segment.path.stem}.bin"
        self._disk.make_folder(aside.parent)
        reason = f"{segment.path.name} cannot be read: {error.strerror or error}\n"
        write_whole(self._disk, aside.with_suffix(".reason"), reason.encode(), sync=False)
        self._disk.rename(segment.path, aside)
        self._counters.add("damaged_total")

    def cut_tail(self, segment: Segment) -> None:
        """Makes a segment's file end where its acknowledged bytes do, if a failed write left more.

        Raises:
            OSError: the disk does not let it; the segment must not be loaded.
        """
        if segment.unacknowledged_tail:
            self._disk.truncate(segment.path, segment.size_bytes)
            segment.unacknowledged_tail = False

    def delete(self, segment: Segment) -> None:
        """Deletes a segment's files."""
        self._disk.unlink(segment.path)
        self._disk.unlink(_index(segment))


def _index(segment: Segment) -> Path:
    return segment.path.with_suffix(INDEX)
