"""One sampler a host: whoever holds the lock samples, and when it ends, however it ends, another takes over."""

import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import IO, Final

NAME: Final = "tollbook-accelerators"


class HostLock:
    """A lock among the processes of a host, or of a container's network. The system frees it when its holder ends.

    On Linux it is a socket's name, which needs no file and no right to write one; elsewhere a locked file. Where neither is to be
    had everybody holds it, and the ledger counts a device's energy once all the same.
    """

    def __init__(self, name: str = NAME) -> None:
        self._name = name
        self._socket: socket.socket | None = None
        self._file: IO[bytes] | None = None
        self._pid = 0

    def taken(self) -> bool:
        """Whether this process holds it, now or already. A few microseconds."""
        if self._pid == os.getpid():
            return True
        self.release()  # a forked child has its parent's: two would hold it
        if sys.platform == "linux":
            return self._bound()
        return self._locked()

    def release(self) -> None:
        """Lets another have it."""
        if self._socket is not None:
            self._socket.close()
        if self._file is not None:
            self._file.close()
        self._socket = self._file = None
        self._pid = 0

    def _bound(self) -> bool:
        found = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            found.bind(f"\0{self._name}")
        except OSError:
            found.close()
            return False
        self._socket, self._pid = found, os.getpid()
        return True

    def _locked(self) -> bool:
        try:
            import fcntl  # noqa: PLC0415 - there is none on Windows
        except ImportError:
            self._pid = os.getpid()
            return True
        path = Path(tempfile.gettempdir(), f"{self._name}-{os.getuid()}.lock")
        try:
            file = path.open("ab")
        except OSError:
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return False
        self._file, self._pid = file, os.getpid()
        return True
