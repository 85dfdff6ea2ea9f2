"""How the intake is: what waits for the store, what was set aside, what was counted, and what needs a person."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tollbook_collector.dead import Graves, damaged

from tollbook_ui import units

if TYPE_CHECKING:
    from tollbook_collector.collector import Collector

LOW_DISK_BYTES = 1024**3
FULL_RATIO = 0.8
"""A spool this full has four times what it held to go through before senders are turned away."""

BEHIND_SECONDS = 60
"""A loaded server has what came within 2 s; a minute is a store that is away or too slow."""


@dataclass(frozen=True)
class Complaint:
    """One thing to see to, and how."""

    matter: str
    remedy: str
    urgent: bool = False
    """Whether it needs a person: something is set aside, or will be turned away, until somebody acts."""


@dataclass(frozen=True)
class SpoolState:
    """What lies in the spool folder."""

    folder: str
    segments: int
    """Segment files that wait for the store."""
    bytes: int
    oldest_seconds: float | None
    """How long the oldest of them has waited; None where none waits."""
    limit_bytes: int | None
    """Beyond which senders are asked to come back; None where no collector runs."""
    free_bytes: int
    """Free on its disk."""
    dead: int
    """Records that the store can never take, set aside with a reason."""
    dead_reason: str
    """Why the newest of them cannot be taken."""
    damaged: int
    """Damaged stretches of segments, set aside."""


@dataclass(frozen=True)
class Counted:
    """What the collector has counted since it started."""

    requests: int
    """Acknowledged."""
    records: int
    """Spans, data points and log records acknowledged."""
    repeated: int
    """Requests sent again: acknowledged again, not stored again."""
    rejected: int
    """Records that can never be stored; their senders were told in a partial success."""
    repaired: int
    """Records whose text was not UTF-8; bad bytes became U+FFFD."""
    refused: Mapping[str, int]
    """Requests refused, by reason."""
    torn: int
    """Segments that a killed collector left with an unfinished record, which was never acknowledged."""
    load_failures: int
    """Loads that failed and were tried again."""


@dataclass(frozen=True)
class Intake:
    """The intake at this moment; `rows` is what to see to, urgent matters first."""

    spool: SpoolState
    counted: Counted | None
    """None where no collector runs."""
    trouble: str
    """Why the collector cannot keep or load; empty while it can."""
    rows: tuple[Complaint, ...]

    @property
    def urgent(self) -> tuple[Complaint, ...]:
        """What needs a person."""
        return tuple(row for row in self.rows if row.urgent)


def look(folder: Path, collector: "Collector | None" = None) -> Intake:
    """Looks at a spool folder, which may be in use or not exist, and at the collector that has it."""
    limit_bytes = collector.settings.spool_max_bytes if collector else None
    counted = _counted(collector) if collector else None
    found = Intake(spool_state(folder, limit_bytes), counted, collector.trouble if collector else "", ())
    return replace(found, rows=tuple(sorted(_complaints(found), key=lambda row: not row.urgent)))


def spool_state(folder: Path, limit_bytes: int | None = None) -> SpoolState:
    """Counts the files of a spool folder."""
    sizes = {path.name: size for path in folder.glob("*.otlp") if (size := _size(path)) is not None}
    opened = [int(name.split("-")[1]) for name in sizes]
    dead = Graves(folder).summary()
    return SpoolState(
        folder=str(folder),
        segments=len(sizes),
        bytes=sum(sizes.values()),
        oldest_seconds=datetime.now(UTC).timestamp() - min(opened) / 1e9 if opened else None,
        limit_bytes=limit_bytes,
        free_bytes=shutil.disk_usage(_existing(folder)).free,
        dead=dead.count,
        dead_reason=dead.newest_reason,
        damaged=damaged(folder),
    )


def _counted(collector: "Collector") -> Counted:
    def total(name: str) -> int:
        return int(collector.counters.value(name))

    refused = {
        dict(sample.labels)["reason"]: int(sample.value)
        for sample in collector.counters.samples()
        if sample.name == "refused_total"
    }
    return Counted(
        requests=total("requests_total"),
        records=total("accepted_total"),
        repeated=total("repeated_total"),
        rejected=total("rejected_total"),
        repaired=total("repaired_total"),
        refused=dict(sorted(refused.items())),
        torn=total("torn_total"),
        load_failures=total("load_failures_total"),
    )


def _complaints(found: Intake) -> Iterator[Complaint]:
    spool = found.spool
    if found.trouble:
        kept = "what was acknowledged is kept; free the disk or bring the store back, and it goes on by itself"
        yield Complaint(f"the collector has trouble: {found.trouble}", kept, urgent=True)
    if spool.dead:
        what = (
            f"{units.counted(spool.dead, 'record')} could not be stored; the newest: {spool.dead_reason or 'no reason was kept'}"
        )
        yield Complaint(what, "tollbook dead list shows them; tollbook dead retry --all tries again", urgent=True)
    if spool.damaged:
        what = f"{units.counted(spool.damaged, 'stretch', 'stretches')} of the spool did not survive on disk"
        yield Complaint(what, f"look at the health of the disk, then delete {spool.folder}/damaged", urgent=True)
    if spool.limit_bytes and spool.bytes > FULL_RATIO * spool.limit_bytes:
        what = (
            f"the spool is {units.percent(spool.bytes / spool.limit_bytes)} full; when it is full, senders are asked to come back"
        )
        yield Complaint(what, "bring the store back, or raise TOLLBOOK_COLLECTOR_SPOOL_MAX_BYTES", urgent=True)
    if spool.free_bytes < LOW_DISK_BYTES:
        yield Complaint(f"the disk has {units.size(spool.free_bytes)} left", "free some", urgent=True)
    if spool.oldest_seconds is not None and spool.oldest_seconds > BEHIND_SECONDS:
        waited = units.age(spool.oldest_seconds * 1e9)
        yield Complaint(f"what came {waited} ago is not in the store yet", _behind(found), urgent=found.counted is not None)
    if found.counted:
        yield from _told_senders(found.counted)


def _behind(found: Intake) -> str:
    return "see the server's log; nothing is lost" if found.counted else "start tollbook up, which loads it"


def _told_senders(counted: Counted) -> Iterator[Complaint]:
    if counted.rejected:
        what = f"{units.counted(counted.rejected, 'record')} of senders could never be stored and were rejected"
        yield Complaint(what, "their senders were told why in the answer; look at their logs")
    if counted.repaired:
        what = f"{units.counted(counted.repaired, 'record')} held text that is not UTF-8; bad bytes became U+FFFD"
        yield Complaint(what, "see to the senders; the records are stored")
    if counted.refused:
        reasons = ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in counted.refused.items())
        yield Complaint(f"requests were refused: {reasons}", "their senders were told why in the answer; look at their logs")


def _existing(folder: Path) -> Path:
    return next(path for path in (folder, *folder.resolve().parents) if path.exists())


def _size(path: Path) -> int | None:
    """Bytes of a file; None where it was loaded meanwhile."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None


_look: Callable[[], Intake] | None = None


def set_current(found: Callable[[], Intake] | None) -> None:
    """Names how this process looks at its own intake; `tollbook up` does so."""
    global _look  # noqa: PLW0603 - as in `answers`
    _look = found


def current() -> Intake | None:
    """The intake of this process, for pages that get no arguments; None where it has none."""
    return _look() if _look else None
