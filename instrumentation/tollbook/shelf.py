"""Bodies that wait in files until the collector can be reached: for sites that are offline for hours.

They survive the process, and go in the order in which they came.
Each process has a folder of its own on the shelf, and locks it. A later process takes over the folders of those that have ended.
"""

import contextlib
import os
import time
from pathlib import Path
from typing import Final, NamedTuple

from tollbook.shield import shielded

try:
    import fcntl
except ImportError:  # Windows: what earlier processes left stays where it is
    fcntl = None  # type: ignore[assignment]

MAX_BYTES: Final = 256 * 1024 * 1024
LOCK: Final = "lock"
SUFFIX: Final = ".otlp"
_NAME_DIGITS: Final = 20


class Shelved(NamedTuple):
    """A body on the shelf."""

    path: Path
    content: bytes
    spans: int


class Shelf:
    """Bodies in files under a folder, oldest first; one process writes to its own part of it.

    Args:
        folder: where; made where it does not exist.
        max_bytes: what all bodies may take, those of earlier processes included.

    Raises:
        OSError: the folder cannot be used.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._locks: dict[Path, int] = {}
        """Parts that this process has."""
        self._pid = 0
        self._own = folder
        self._waiting: list[Path] = []
        self._passed_over = 0
        self._bytes = 0
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._open()

    @property
    def empty(self) -> bool:
        """Whether nothing waits here."""
        return not self._waiting

    def put(self, content: bytes, spans: int) -> bool:
        """Keeps a body; False where there is no room for it, or it cannot be written."""
        if self._pid != os.getpid():  # a forked child has a part of its own
            with shielded("open the buffer after a fork"):
                self._open()
        if self._bytes + len(content) > self._max_bytes:
            return False
        path = self._own / f"{time.time_ns():0{_NAME_DIGITS}d}-{spans}{SUFFIX}"
        with shielded("write to the buffer"):
            written = path.with_suffix(".part")
            with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            written.rename(path)
            self._waiting.append(path)
            self._bytes += len(content)
            return True
        return False

    def oldest(self) -> Shelved | None:
        """The body that has waited longest; what cannot be read is passed over and stays where it is."""
        while self._waiting:
            path = self._waiting[0]
            with contextlib.suppress(OSError, ValueError):
                return Shelved(path, path.read_bytes(), int(path.stem.partition("-")[2]))
            self._waiting.pop(0)
            said = path.stem.partition("-")[2]
            self._passed_over += int(said) if said.isdecimal() else 0
        return None

    def passed_over(self) -> int:
        """Spans of bodies that could not be read since this was asked last."""
        spans, self._passed_over = self._passed_over, 0
        return spans

    def remove(self, body: Shelved) -> None:
        """Forgets a body that was delivered or refused, once."""
        if body.path not in self._waiting:
            return
        self._waiting.remove(body.path)
        self._bytes -= len(body.content)
        with contextlib.suppress(OSError):
            body.path.unlink()

    def close(self) -> None:
        """Leaves what waits to a later process."""
        for part in self._locks if self._pid == os.getpid() else ():
            with contextlib.suppress(OSError):
                if not any(part.glob(f"*{SUFFIX}")):
                    (part / LOCK).unlink()
                    part.rmdir()
        self._unlock()

    def _unlock(self) -> None:
        """Closes the locks: in a forked child, of its parent, which keeps them."""
        for lock in self._locks.values():
            with contextlib.suppress(OSError):
                os.close(lock)
        self._locks = {}

    def _open(self) -> None:
        self._unlock()
        self._waiting, self._bytes, self._pid = [], 0, os.getpid()
        self._own = self._folder / f"{time.time_ns():0{_NAME_DIGITS}d}-{self._pid}"
        self._own.mkdir(mode=0o700)
        self._locked(self._own)
        for part in sorted(self._folder.iterdir()):
            if fcntl is not None and part != self._own and part.is_dir() and self._locked(part):
                self._take_over(part)

    def _take_over(self, part: Path) -> None:
        for path in sorted(part.glob(f"*{SUFFIX}")):
            with contextlib.suppress(OSError):
                self._bytes += path.stat().st_size
                self._waiting.append(path)

    def _locked(self, part: Path) -> bool:
        """Whether this process has the part from now on, for as long as it lives."""
        with contextlib.suppress(OSError):
            lock = os.open(part / LOCK, os.O_WRONLY | os.O_CREAT, 0o600)
            if fcntl is not None:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os.close(lock)
                    return False
            self._locks[part] = lock
            return True
        return False
