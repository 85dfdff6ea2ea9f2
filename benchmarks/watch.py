"""A look at a program under load every few seconds: its memory, and what its database has."""

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.systems import System

PARTS = "SELECT count() FROM system.parts WHERE active AND table = 'spans' AND database = currentDatabase()"
MERGES = "SELECT count(), ifNull(max(elapsed), 0) FROM system.merges"


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
        spans, parts, merges = system.spans() if database else 0, 0, 0
        if database and system.ask is not None:
            parts, merges = int(system.ask(PARTS)[0][0]), int(system.ask(MERGES)[0][0])
        watch.looks.append(Look(time.perf_counter() - began, system.processes.pss_mb(), spans, parts, merges))
        if ended.wait(every):
            return
