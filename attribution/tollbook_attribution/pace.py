"""How hard a settlement works: with all there is, or in small pieces beside something that goes first."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

QUIET_SETTINGS: Mapping[str, Any] = {
    "max_threads": 1,
    "max_insert_threads": 1,
    "min_insert_block_size_bytes": 64 * 1024**2,  # of rows gathered before they are written; ClickHouse gathers 256 MB
}
QUIET_FINER = 4
"""Ranges of 125,000 spans, so a quarter of the rows in hash tables. With fewer, what a statement costs anyway begins to count."""

SMALL_HOUR = 20_000
"""Facts of an hour whose statements take longer to prepare than to run."""
SMALL_SETTINGS: Mapping[str, Any] = {
    "max_threads": 1,
    "max_insert_threads": 1,
    "compile_expressions": 0,  # to machine code, which the third small hour of a process took 1.3 s for and none gained by
    "compile_aggregate_expressions": 0,
    "compile_sort_description": 0,
}


def _at_once() -> bool:
    """Nothing goes first."""
    return False


@dataclass(frozen=True)
class Pace:
    """What one settlement may take of the machine."""

    side_by_side: int = 2
    """Ranges settled at a time, each on a connection of its own: one writes while the other reads."""
    finer: int = 1
    """Ranges hold this many times fewer spans than those of a settlement that has the machine to itself."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of each statement, instead of its own."""
    waits: Callable[[], bool] = _at_once
    """Asked before each statement of each range until it says no: waits a moment where something else goes first."""

    def of_hour(self, facts: int) -> "Pace":
        """The same pace, in an hour of so many facts."""
        return replace(self, settings={**self.settings, **SMALL_SETTINGS}) if facts <= SMALL_HOUR else self


FULL = Pace()


def quiet(waits: Callable[[], bool] = _at_once) -> Pace:
    """One statement at a time, on one core, in small ranges, each when nothing else goes first."""
    return Pace(side_by_side=1, finer=QUIET_FINER, settings=QUIET_SETTINGS, waits=waits)
