"""Bodies acknowledged lately, so that one sent again is acknowledged and not stored again.

Clients whose acknowledgement was lost send the same bytes again. What is remembered is 16 bytes of each body's digest: in memory
from the acknowledgement on, and once its segment is loaded in a log on disk, because a collector that is killed must know it
afterwards (until then the segment itself tells). Bodies of about an eighth of the time, or of the number remembered, make a
generation with a log of its own; the oldest generation is forgotten at once, and costs one deleted file.
"""

import contextlib
import struct
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from tollbook_collector import segment as segments
from tollbook_collector.disk import Clock, Disk

KEY_BYTES = 16
"""128 bits: two among a thousand million bodies are the same with a chance of 1 to 10^20."""

GENERATIONS = 8
BUCKETS = 16_384
"""Of a generation. With a million bodies remembered, eight keys stand in each."""

KEY = struct.Struct(f"{KEY_BYTES}s")
SUFFIX = ".seen"


class Seen:
    """Digests of bodies, up to a number and an age. Safe to use from several threads."""

    def __init__(self, folder: Path, seconds: float, bodies: int, disk: Disk, clock: Clock) -> None:
        """Remembers `bodies` for `seconds` at most, and what the logs in `folder` tell."""
        self._folder = folder
        self._seconds = seconds
        self._bodies = max(bodies, GENERATIONS)
        self._disk = disk
        self._clock = clock
        self._lock = threading.Lock()
        self._handle: int | None = None
        self._number = 0
        self._generations: list[_Generation] = []
        disk.make_folder(folder)
        self._restore()
        self._begin()

    def __contains__(self, digest: bytes) -> bool:
        key = digest[:KEY_BYTES]
        with self._lock:
            self._forget()
            number = _bucket(key)
            return any(key in bucket for generation in self._generations if (bucket := generation.buckets[number]) is not None)

    def add(self, digests: bytes) -> None:
        """Remembers digests, one after another, from now on."""
        with self._lock:
            self._forget()
            self._generations[-1].add(_keys(digests))

    def keep(self, digests: bytes) -> None:
        """Writes a loaded segment's digests down before its file goes; without sync, since it is for a killed process."""
        with self._lock:
            try:
                self._disk.write(self._log(), [b"".join(_keys(digests))])
            except OSError:
                self._end_log()  # half a key may stand at its end

    def close(self) -> None:
        """Lets the log go."""
        with self._lock:
            self._end_log()

    def _log(self) -> int:
        if self._handle is None:
            path = self._folder / f"{self._number:012d}{SUFFIX}"
            self._number += 1
            self._handle = self._disk.create(path)
            self._generations[-1].logs.append(path)
        return self._handle

    def _restore(self) -> None:
        """What an earlier collector wrote down, as if met now: how long it was down is not known for sure, clocks jump."""
        for name in self._disk.names(self._folder):
            stem, dot, suffix = name.partition(".")
            if not stem.isdigit() or dot + suffix != SUFFIX:
                continue
            self._number = max(self._number, int(stem) + 1)
            if not self._generations or self._generations[-1].bodies >= self._bodies // GENERATIONS:
                self._generations.append(_Generation(self._clock.monotonic()))
            with contextlib.suppress(OSError):
                self._generations[-1].read(self._disk, self._folder / name)

    def _begin(self) -> None:
        self._generations.append(_Generation(self._clock.monotonic()))

    def _forget(self) -> None:
        now = self._clock.monotonic()
        newest = self._generations[-1]
        if newest.bodies >= self._bodies // GENERATIONS or (newest.bodies and now - newest.begun >= self._seconds / GENERATIONS):
            self._end_log()
            newest.ended = now
            self._begin()
        while len(self._generations) > 1 and self._oldest_is_over(now):
            for log in self._generations.pop(0).logs:
                with contextlib.suppress(OSError):
                    self._disk.unlink(log)

    def _oldest_is_over(self, now: float) -> bool:
        too_many = sum(generation.bodies for generation in self._generations) > self._bodies
        return too_many or now - self._generations[0].ended > self._seconds

    def _end_log(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            with contextlib.suppress(OSError):
                self._disk.close(handle)


class _Generation:
    """Keys met in one stretch of time: 16 bytes each and little beside, found in about a microsecond."""

    def __init__(self, now: float) -> None:
        self.begun = self.ended = now
        self.bodies = 0
        self.logs: list[Path] = []
        self.buckets: list[bytearray | None] = [None] * BUCKETS

    def add(self, keys: Iterable[bytes]) -> None:
        for key in keys:
            number = _bucket(key)
            bucket = self.buckets[number]
            if bucket is None:
                self.buckets[number] = bytearray(key)
            else:
                bucket += key
            self.bodies += 1

    def read(self, disk: Disk, log: Path) -> None:
        self.logs.append(log)
        content = disk.read(log)
        self.add(key for (key,) in KEY.iter_unpack(content[: len(content) // KEY_BYTES * KEY_BYTES]))


def _bucket(key: bytes) -> int:
    return (key[0] << 8 | key[1]) % BUCKETS


def _keys(digests: bytes) -> Iterator[bytes]:
    """The first bytes of each digest."""
    return (digests[place : place + KEY_BYTES] for place in range(0, len(digests), segments.DIGEST_BYTES))
