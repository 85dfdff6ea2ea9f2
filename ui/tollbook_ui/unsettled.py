"""Hours that wait to be settled: how many of them an answer rests on, and what to say of it. In one place for every answer."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from tollbook_ui import units

if TYPE_CHECKING:
    from tollbook_schema.store import Reads

FIRST, LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(2106, 2, 7, tzinfo=UTC)
"""What a ClickHouse DateTime holds."""

Times = tuple[datetime, datetime]
EVER: Times = (FIRST, LAST)


@dataclass(frozen=True)
class FromLedger:
    """An answer made of what hours were settled to."""

    unsettled_hours: int = field(default=0, kw_only=True)
    """Hours of its period that hold facts which no settlement has seen: until they are settled, the amounts are not final."""


Asked = ParamSpec("Asked")
Found = TypeVar("Found", bound=FromLedger)


def told(method: Callable[Concatenate[Any, Asked], Found]) -> Callable[Concatenate[Any, Asked], Found]:
    """The method, whose answers say how many hours of their period wait to be settled."""

    @wraps(method)
    def asked(self: Any, /, *args: Asked.args, **named: Asked.kwargs) -> Found:
        found = method(self, *args, **named)
        return replace(found, unsettled_hours=hours(self._reads, times(found)))

    return asked


Windows = Sequence[Mapping[str, Any]]

_asked: ContextVar[dict[Times, Windows] | None] = ContextVar("asked", default=None)


@contextmanager
def once() -> Iterator[None]:
    """Within it, each period is asked about once, as on a page whose every answer is about the same one. Of one asker."""
    token = _asked.set({})
    try:
        yield
    finally:
        _asked.reset(token)


def hours(reads: "Reads", of: Iterable[Times]) -> int:
    """Hours within these times that wait to be settled; none that was settled and whose facts have begun to expire."""
    found: dict[datetime, bool] = {}
    for since, until in {(max(since, FIRST), min(until, LAST)) for since, until in of}:
        rows = _windows(reads, since, until)
        found |= {row["window"].replace(tzinfo=UTC): bool(row["facts_settled"]) for row in rows}
    oldest_whole = _oldest_whole(reads) if any(found.values()) else FIRST
    return sum(window >= oldest_whole or not settled for window, settled in found.items())


def _windows(reads: "Reads", since: datetime, until: datetime) -> Windows:
    from tollbook_schema import sql  # noqa: PLC0415 - commands import this module and may ask nothing

    known = _asked.get()
    if known is not None and (since, until) in known:
        return known[since, until]
    rows = list(reads.query(sql.text("tollbook_ui", "queries/unsettled.sql"), {"since": since, "until": until}))
    if known is not None:
        known[since, until] = rows
    return rows


def times(found: Any) -> Iterator[Times]:
    """The times that an answer is about: its periods, those of its budgets, or that of its request."""
    periods = [value for value in vars(found).values() if hasattr(value, "since") and hasattr(value, "until")]
    if not periods and hasattr(found, "at"):
        periods = list(found.rows)
    yield from ((period.since, period.until) for period in periods)
    if hasattr(found, "duration_ns"):
        begun = found.start_time.replace(minute=0, second=0, microsecond=0)
        yield begun, found.start_time + timedelta(seconds=(found.duration_ns or 0) // units.NS_PER_SECOND + 1)


def note(waiting: int) -> str:
    """What to say where so many hours wait; empty where none does."""
    if not waiting:
        return ""
    said = f"{units.counted(waiting, 'hour')} of this period {'waits' if waiting == 1 else 'wait'} to be settled"
    return f"{said}: amounts are not final. {REMEDY}"


REMEDY = "A server settles by itself; tollbook settle does it now, a second or so for each small hour."


HOUR_S = 1
"""About what the settlement of a small hour takes."""

NEXT = "Next: tollbook settle; a running server settles in the background. tollbook doctor says how many hours wait"


def next_step(hours: int) -> str:
    """What to type once so many hours have new facts, and about how long it takes where that is long."""
    if not hours:
        return NEXT
    lasts = f", about {units.counted(-(-hours * HOUR_S // 60), 'minute')} and more for large ones" if hours * HOUR_S > 60 else ""
    return f"{units.counted(hours, 'hour')} {'waits' if hours == 1 else 'wait'} to be settled{lasts}. {NEXT}"


def _oldest_whole(reads: "Reads") -> datetime:
    """The first hour whose facts are all still there; what came to older ones since can never be settled."""
    from tollbook_schema import retention  # noqa: PLC0415 - as above

    days = retention.in_force(reads).get("spans", 0)
    return datetime.now(UTC) - timedelta(days=days) if days else FIRST
