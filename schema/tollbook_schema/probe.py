"""Whether the disk under the embedded database takes what is written, because the database does not say when it does not.

In chDB 4.4 (ClickHouse 26.9) an INSERT succeeds although every write to its files failed, be it with EIO, EROFS, EDQUOT or EFBIG:
the rows are gone, and the table cannot be read until the next start sets the part aside. It tells of a full disk alone.
"""

import errno
import os
import threading
from pathlib import Path

from tollbook_schema.connections import DiskFailedError, StoreUnavailableError

CONTENT = bytes(4096)
PASSING = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOENT, errno.EACCES))
"""Of these the database tells by itself, before it writes anything."""


class Probe:
    """A small file on the database's disk, written now and then. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "probe"
        self._one_at_a_time = threading.Lock()
        self._failed = ""

    def look(self, *, synced: bool = True) -> None:
        """Writes the file; `synced` finds what the system told of no write too.

        Raises:
            DiskFailedError: the disk failed a write, now or since the database was opened: only opening it anew helps.
            StoreUnavailableError: it takes nothing at present, and nothing was damaged.
        """
        with self._one_at_a_time:
            if not self._failed:
                self._write(synced)
        if self._failed:
            raise DiskFailedError(self._failed)

    def _write(self, synced: bool) -> None:
        try:
            handle = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                os.write(handle, CONTENT)
                if synced:
                    os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as error:
            if error.errno in PASSING:
                raise StoreUnavailableError(f"cannot write to {self._file.parent}: {error.strerror}") from error
            self._failed = f"the disk of {self._file.parent} failed a write: {error.strerror}"
