"""A look at a program under load every few seconds: its memory, and what its database has."""

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.systems import System

PART = re.compile(r"(?P<partition>\d+)_(?P<first>\d+)_(?P<last>\d+)_\d+")


@dataclass(frozen=True)
class Look:
    """What was seen at one moment."""

    seconds: float
    """After the beginning."""
    pss_mb: float
    spans: int
    parts: int
    merges: int

    def __str__(self) -> str:
        return f"{self.seconds:.0f} s {self.spans:,}, {self.parts}, {self.merges}, {self.pss_mb:.0f} MB"


@dataclass
class Watch:
    """All looks so far."""

    looks: list[Look] = field(default_factory=list)

    @property
    def most_mb(self) -> float:
        """Most memory that was seen."""
        return max(look.pss_mb for look in self.looks)


@contextlib.contextmanager
def watching(system: System, every_seconds: float, *, database: bool = False) -> Iterator[Watch]:
    """Looks until the block ends; at the database too if wanted, which costs the program a little."""
    watch, ended = Watch(), threading.Event()
    thread = threading.Thread(target=_look, args=(system, every_seconds, database, watch, ended, time.perf_counter()))
    thread.start()
    try:
        yield watch
    finally:
        ended.set()
        thread.join()


def _look(system: System, every: float, database: bool, watch: Watch, ended: threading.Event, began: float) -> None:
    while True:
        spans = system.spans() if database else 0
        parts, merges = parts_and_merges(system.data) if database else (0, 0)
        watch.looks.append(Look(time.perf_counter() - began, system.processes.pss_mb(), spans, parts, merges))
        if ended.wait(every):
            return


def parts_and_merges(data: Path) -> tuple[int, int]:
    """Active parts of the embedded table of spans and how many merges run, by its folder: people's SQL does not reach them.

    A part is named by the blocks it holds; one whose blocks are all in another was merged into it.
    """
    names = [path.name for path in (data / "clickhouse" / "data" / "default" / "spans").iterdir()]
    parts = [
        (match["partition"], int(match["first"]), int(match["last"]))
        for match in (PART.fullmatch(name) for name in names)
        if match
    ]
    active = [part for part in parts if not any(part != other and _holds(other, part) for other in parts)]
    return len(active), sum(name.startswith("tmp_merge_") for name in names)


def _holds(part: tuple[str, int, int], other: tuple[str, int, int]) -> bool:
    return part[0] == other[0] and part[1] <= other[1] and other[2] <= part[2]
