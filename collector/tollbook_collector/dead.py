"""Dead letters: records that the store can never take, set aside in `dead/` with a reason; shown, tried again, dropped.

Each is a segment of its own beside a text with the reason. Everything here works on the folder alone, whether or not a collector
has it open: a record to try again moves to `retry/`, where the collector that runs, or the next one, takes it from.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tollbook_collector import segment as segments
from tollbook_collector.disk import DISK, Disk, write_whole
from tollbook_collector.folder import DAMAGED, RETRY, Segment

FOLDER = "dead"
NAME = re.compile(r"((traces|metrics|logs)-(\d{20})-\d{6,12}-[0-9a-f]{16})\.otlp")


@dataclass(frozen=True)
class Summary:
    """How many records are dead."""

    count: int
    oldest: datetime | None = None
    """When the oldest of them came."""
    newest_reason: str = ""


@dataclass(frozen=True)
class Letter:
    """One record that was set aside."""

    name: str
    """By which it is shown, tried again or dropped."""
    signal: str
    tenant: str
    """Whose it is; empty where its file cannot be read."""
    came_at: datetime
    size_bytes: int
    reason: str
    """What the store said."""


class Graves:
    """The dead letters of a spool's folder."""

    def __init__(self, spool: Path, disk: Disk = DISK) -> None:
        self._folder = spool / FOLDER
        self._retry = spool / RETRY
        self._disk = disk

    def bury(self, segment: Segment, digest: bytes, content: bytes, reason: str) -> bool:
        """Sets a record of a segment aside, safe from a loss of power; whether it was not there before."""
        self._disk.make_folder(self._folder)
        name = f"{segment.path.stem}-{digest.hex()[:16]}"
        new = f"{name}{segments.SUFFIX}" not in self._disk.names(self._folder)
        write_whole(self._disk, self._folder / f"{name}.reason", f"{reason}\n".encode(), sync=True)
        write_whole(self._disk, self._folder / f"{name}{segments.SUFFIX}", content, sync=True)
        return new

    def summary(self) -> Summary:
        """How many there are, since when, and why the newest."""
        names = self._names()
        if not names:
            return Summary(0)
        came = sorted(names, key=_came_ns)
        return Summary(len(names), _time(_came_ns(came[0])), self._reason(came[-1]))

    def letters(self) -> list[Letter]:
        """All of them, oldest first."""
        found = []
        for name in sorted(self._names(), key=_came_ns):
            with suppress(OSError):  # dropped or tried again by somebody else meanwhile
                found.append(self._letter(name))
        return found

    def content(self, name: str) -> bytes:
        """A letter's bytes: a segment of one record.

        Raises:
            KeyError: there is none of that name.
        """
        return self._disk.read(self._path(name))

    def retry(self, names: Iterable[str]) -> int:
        """Gives letters back to the collector; how many.

        Raises:
            KeyError: there is none of that name.
        """
        paths = [self._path(name) for name in names]
        self._disk.make_folder(self._retry)
        for path in paths:
            self._disk.rename(path, self._retry / path.name)
            self._disk.unlink(path.with_suffix(".reason"))
        return len(paths)

    def drop(self, names: Iterable[str]) -> int:
        """Deletes letters for good; how many.

        Raises:
            KeyError: there is none of that name.
        """
        paths = [self._path(name) for name in names]
        for path in paths:
            self._disk.unlink(path)
            self._disk.unlink(path.with_suffix(".reason"))
        return len(paths)

    def _names(self) -> list[str]:
        return [match[1] for name in self._disk.names(self._folder) if (match := NAME.fullmatch(name))]

    def _path(self, name: str) -> Path:
        if name not in self._names():
            raise KeyError(name)
        return self._folder / f"{name}{segments.SUFFIX}"

    def _letter(self, name: str) -> Letter:
        content = segments.InMemory(self.content(name))
        frames = segments.frames(content)
        tenant = next((found.tenant for found in frames), "")
        return Letter(name, name.partition("-")[0], tenant, _time(_came_ns(name)), content.size_bytes, self._reason(name))

    def _reason(self, name: str) -> str:
        with suppress(OSError):
            return self._disk.read(self._folder / f"{name}.reason").decode(errors="replace").strip()
        return ""


def damaged(spool: Path, disk: Disk = DISK) -> int:
    """Stretches of segments that did not survive and lie in `damaged/`."""
    return sum(name.endswith(".bin") for name in disk.names(spool / DAMAGED))


def _came_ns(name: str) -> int:
    return int(name.split("-")[1])


def _time(came_ns: int) -> datetime:
    return datetime.fromtimestamp(min(came_ns // 1_000_000_000, segments.LAST_SECOND), UTC)
