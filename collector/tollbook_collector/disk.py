"""The world as the spool sees it: files of one folder, and clocks. What is faked where every fault has to be played.

The spool and what it is made of (`folder`, `seen`, `dead`) touch files and time through these two protocols alone. With
`Spool(..., disk=..., clock=..., threaded=False)` nothing runs by itself either: `Spool.write_waiting` does what its thread would
do next, `Spool.take(0, now=True)` and `Loader.load_next(0, now=True)` what a loader would.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

WRITEV_PARTS = min(1024, getattr(os, "IOV_MAX", 1024))
_data_sync = getattr(os, "fdatasync", os.fsync)


class Disk(Protocol):
    """Files of a folder. Every method may raise OSError, and may have done a part of its work by then."""

    def make_folder(self, folder: Path) -> None:
        """Makes a folder for its owner only, with those above it; one that is there is fine."""

    def lock(self, path: Path) -> int:
        """Holds a file for this process until it is closed; BlockingIOError where another process holds it."""

    def create(self, path: Path) -> int:
        """Opens a new file for appending, for its owner only; FileExistsError where there is one."""

    def write(self, handle: int, parts: Sequence[bytes]) -> None:
        """Appends all parts."""

    def sync(self, handle: int) -> None:
        """Returns once everything written is safe from a loss of power."""

    def sync_path(self, path: Path) -> None:
        """Returns once what another process wrote to a file is safe from a loss of power."""

    def close(self, handle: int) -> None:
        """Ends the use of a handle."""

    def sync_folder(self, folder: Path) -> None:
        """Returns once the names in a folder are safe from a loss of power."""

    def read(self, path: Path, start: int = 0, size_bytes: int = -1) -> bytes:
        """Bytes of a file from `start`, `size_bytes` of them or up to the end."""

    def size(self, path: Path) -> int:
        """Bytes in a file."""

    def truncate(self, path: Path, size_bytes: int) -> None:
        """Cuts a file."""

    def rename(self, old: Path, new: Path) -> None:
        """Renames a file, over another one where there is one, all or nothing."""

    def unlink(self, path: Path) -> None:
        """Deletes a file; one that is not there is fine."""

    def names(self, folder: Path) -> list[str]:
        """Names of the files in a folder, sorted; none where there is no folder."""

    def free_bytes(self, folder: Path) -> int:
        """Bytes that files in a folder may still take."""


class Clock(Protocol):
    """What time it is."""

    def time_ns(self) -> int:
        """Unix time in nanoseconds; may jump, back too."""

    def monotonic(self) -> float:
        """Seconds since some moment; never go back."""


class RealDisk:
    """Disk of this machine."""

    def make_folder(self, folder: Path) -> None:
        """See Disk."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def lock(self, path: Path) -> int:
        """See Disk."""
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise
        return handle

    def create(self, path: Path) -> int:
        """See Disk."""
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def write(self, handle: int, parts: Sequence[bytes]) -> None:
        """See Disk. One call for up to 1,024 parts, without copying them together."""
        for first in range(0, len(parts), WRITEV_PARTS):
            _write_all(handle, parts[first : first + WRITEV_PARTS])

    def sync(self, handle: int) -> None:
        """See Disk."""
        _data_sync(handle)

    def sync_path(self, path: Path) -> None:
        """See Disk."""
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            _data_sync(handle)
        finally:
            os.close(handle)

    def close(self, handle: int) -> None:
        """See Disk."""
        os.close(handle)

    def sync_folder(self, folder: Path) -> None:
        """See Disk."""
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def read(self, path: Path, start: int = 0, size_bytes: int = -1) -> bytes:
        """See Disk."""
        with path.open("rb", buffering=0) as file:
            file.seek(start)
            return file.read(size_bytes) or b""

    def size(self, path: Path) -> int:
        """See Disk."""
        return path.stat().st_size

    def truncate(self, path: Path, size_bytes: int) -> None:
        """See Disk."""
        os.truncate(path, size_bytes)

    def rename(self, old: Path, new: Path) -> None:
        """See Disk."""
        old.replace(new)

    def unlink(self, path: Path) -> None:
        """See Disk."""
        path.unlink(missing_ok=True)

    def names(self, folder: Path) -> list[str]:
        """See Disk."""
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
        return []

    def free_bytes(self, folder: Path) -> int:
        """See Disk."""
        found = os.statvfs(folder)
        return found.f_bavail * found.f_frsize


class RealClock:
    """Clock of this machine."""

    def time_ns(self) -> int:
        """See Clock."""
        return time.time_ns()

    def monotonic(self) -> float:
        """See Clock."""
        return time.monotonic()


DISK: Disk = RealDisk()
CLOCK: Clock = RealClock()


def _write_all(handle: int, parts: Sequence[bytes]) -> None:
    left = sum(map(len, parts)) - os.writev(handle, parts)
    while left:  # the kernel took a part of it: a signal, a limit, or more than 2 GiB
        tail = memoryview(b"".join(parts))[-left:]
        left -= os.write(handle, tail)


def write_whole(disk: Disk, path: Path, content: bytes, *, sync: bool) -> None:
    """Puts content in a file's place, all or nothing; with `sync` safe from a loss of power."""
    draft = path.with_name(path.name + ".draft")
    disk.unlink(draft)
    handle = disk.create(draft)
    try:
        disk.write(handle, [content])
        if sync:
            disk.sync(handle)
    finally:
        disk.close(handle)
    disk.rename(draft, path)
    if sync:
        disk.sync_folder(path.parent)
