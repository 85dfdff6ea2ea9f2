"""Bodies acknowledged lately, so that one sent again is acknowledged and not stored again.

Clients whose acknowledgement was lost send the same bytes again. Digests live in memory; those of loaded segments are also on
disk, because a collector that is killed must know them afterwards.
"""

import time
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

DIGEST_BYTES = 32
MAX_DIGESTS = 200_000
"""About 40 MB of memory; 5 minutes at 660 requests a second."""


class Seen:
    """Digests with the time they were last met. Not safe by itself: the spool holds its lock around it."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder = folder
        self._seconds = seconds
        self._met: OrderedDict[bytes, float] = OrderedDict()
        self._files: OrderedDict[Path, float] = OrderedDict()
        folder.mkdir(mode=0o700, exist_ok=True)
        self._restore()

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._met

    def add(self, digests: Iterable[bytes]) -> None:
        """Remembers the digests from now on."""
        now = time.monotonic()
        for digest in digests:
            self._met[digest] = now
            self._met.move_to_end(digest)
        self._forget(now)

    def keep(self, name: str, digests: Iterable[bytes]) -> None:
        """Writes a loaded segment's digests down before its file goes; without fsync, since it is for a killed process."""
        path = self._folder / f"{name}.digests"
        path.write_bytes(b"".join(digests))
        self._files[path] = time.monotonic()

    def _restore(self) -> None:
        age = time.time() - time.monotonic()
        for path in sorted(self._folder.glob("*.digests"), key=lambda path: path.stat().st_mtime_ns):
            self._files[path] = path.stat().st_mtime - age
            content = path.read_bytes()
            for place in range(0, len(content) - DIGEST_BYTES + 1, DIGEST_BYTES):
                self._met[content[place : place + DIGEST_BYTES]] = self._files[path]
        self._forget(time.monotonic())

    def _forget(self, now: float) -> None:
        oldest = now - self._seconds
        while self._met and (len(self._met) > MAX_DIGESTS or next(iter(self._met.values())) < oldest):
            self._met.popitem(last=False)
        while self._files and next(iter(self._files.values())) < oldest:
            self._files.popitem(last=False)[0].unlink(missing_ok=True)
