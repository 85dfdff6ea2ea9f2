"""Time and disks that tests play."""

import errno
import random
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from tollbook_collector.disk import RealDisk


class PlayedClock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now_ns = 1_795_325_799_000_000_000
        self.passed_s = 0.0

    def time_ns(self) -> int:
        return self.now_ns

    def monotonic(self) -> float:
        return self.passed_s

    def go_on(self, seconds: float) -> None:
        self.passed_s += seconds
        self.now_ns += int(seconds * 1e9)


class FaultyDisk(RealDisk):
    """A disk whose next calls of a name fail as said, after half of their work where that can be."""

    def __init__(self, **failures: list[OSError]) -> None:
        self.failures = failures
        self.read_bytes = 0

    def fail(self, name: str) -> None:
        waiting = self.failures.get(name)
        if waiting:
            raise waiting.pop(0)

    def create(self, path: Path) -> int:
        self.fail("create")
        return super().create(path)

    def write(self, handle: int, parts: Sequence[bytes]) -> None:
        if self.failures.get("write"):
            whole = b"".join(parts)
            super().write(handle, [whole[: len(whole) // 2]])
        self.fail("write")
        super().write(handle, parts)

    def sync(self, handle: int) -> None:
        self.fail("sync")
        super().sync(handle)

    def read(self, path: Path, start: int = 0, size_bytes: int = -1) -> bytes:
        self.fail("read")
        found = super().read(path, start, size_bytes)
        self.read_bytes += len(found)
        return found

    def truncate(self, path: Path, size_bytes: int) -> None:
        self.fail("truncate")
        super().truncate(path, size_bytes)

    def unlink(self, path: Path) -> None:
        self.fail("unlink")
        super().unlink(path)


class FlakyDisk(RealDisk):
    """A disk of which one call in fifty fails; a write after half of its work."""

    def _maybe_fail(self) -> None:
        if random.random() < 0.02:
            raise failure(errno.EIO)

    def create(self, path: Path) -> int:
        self._maybe_fail()
        return super().create(path)

    def write(self, handle: int, parts: Sequence[bytes]) -> None:
        whole = b"".join(parts)
        super().write(handle, [whole[: len(whole) // 2]])
        self._maybe_fail()
        super().write(handle, [whole[len(whole) // 2 :]])

    def sync(self, handle: int) -> None:
        self._maybe_fail()
        super().sync(handle)

    def truncate(self, path: Path, size_bytes: int) -> None:
        self._maybe_fail()
        super().truncate(path, size_bytes)

    def unlink(self, path: Path) -> None:
        self._maybe_fail()
        super().unlink(path)


class BrokenDisk(RealDisk):
    """A disk of which one file cannot be read."""

    def __init__(self, broken: Path) -> None:
        self.broken = broken

    def read(self, path: Path, start: int = 0, size_bytes: int = -1) -> bytes:
        if path == self.broken:
            raise failure(errno.EIO)
        return super().read(path, start, size_bytes)


class SlowDisk(RealDisk):
    """A disk whose writes take `write_s`, and which can be held up for as long as `going` is not set."""

    def __init__(self, write_s: float = 0.0) -> None:
        self.write_s = write_s
        self.going = threading.Event()
        self.going.set()

    def write(self, handle: int, parts: Sequence[bytes]) -> None:
        self.going.wait(30)
        time.sleep(self.write_s)
        super().write(handle, parts)


def failure(number: int) -> OSError:
    """An error as the system words it."""
    return OSError(number, errno.errorcode[number])
