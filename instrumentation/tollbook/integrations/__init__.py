"""One library, one file; each is an `opentelemetry_instrumentor` entry point, so `opentelemetry-instrument` finds it."""

import logging
import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import TYPE_CHECKING, Final

from tollbook.shield import shielded, strict

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "opentelemetry_instrumentor"
DISABLED: Final = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
_OURS: Final = "tollbook_"
_MAX_SAID: Final = 160
_log = logging.getLogger("tollbook")


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether an instrumentation is on, and why not."""

    name: str
    """Name of its entry point, such as `requests`, or `tollbook_requests` where it is ours."""
    on: bool
    why: str
    """Why it is off, such as `faiss is not installed`; empty where it is on."""

    @property
    def library(self) -> str:
        """What it instruments."""
        return self.name.removeprefix(_OURS)

    @property
    def by(self) -> str:
        """Whose it is."""
        return "tollbook" if self.name.startswith(_OURS) else "opentelemetry"


_status: dict[str, Seen] = {}


def auto(*, only: Collection[str] | None = None, without: Collection[str] = (), at_once: bool = False) -> list[str]:
    """Instrument every installed library that something can instrument, and return the names of what was turned on.

    Takes Tollbook's own integrations and all others installed under OpenTelemetry's entry point group, such as those
    for model clients and HTTP. Where both know a library, they share its spans. `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS`
    names exceptions, as everywhere. `tollbook.integrations.status()` says what is on, what is off, and why. An instrumentation
    of others is loaded when the program imports its library, because most import it themselves; until then it counts as on.

    Args:
        only: instrument these alone: libraries such as `redis`, or one instrumentation of theirs, such as `tollbook_redis`.
        without: leave these alone.
        at_once: load all of them now, to know which of them refuse.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - 10 ms

    disabled = {name.strip() for name in os.environ.get(DISABLED, "").split(",")}
    # Ours first: those that import their library are then wrapped around ours, and their span is there when ours is asked.
    found = sorted(entry_points(group=GROUP), key=lambda point: (not point.name.startswith(_OURS), point.name))
    for point in found:
        if "*" in disabled or point.name in disabled:
            _status[point.name] = Seen(point.name, False, f"turned off by {DISABLED}")
        elif only is not None and not _is_named(point.name, only):
            _status[point.name] = Seen(point.name, False, "not asked for")
        elif _is_named(point.name, without):
            _status[point.name] = Seen(point.name, False, "left out")
        else:
            _status[point.name] = _turned_on(point) if at_once or point.name.startswith(_OURS) else _armed(point)
    return sorted(seen.name for seen in _status.values() if seen.on)


def status() -> list[Seen]:
    """What `auto` found, by library: empty where it was not called."""
    return sorted(_status.values(), key=lambda seen: (seen.library, seen.name))


def listing(found: Iterable[Seen]) -> str:
    """What is seen and what is not, and why: a line each, for people."""
    rows = [(seen.library, seen.by, "on" if seen.on else "off", seen.why) for seen in found]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(3)]
    return "".join(
        "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3])).rstrip() + "\n"
        for row in rows
    )


def _is_named(name: str, names: Collection[str]) -> bool:
    return name in names or name.removeprefix(_OURS) in names


def _armed(point: "EntryPoint") -> Seen:
    """Somebody else's, which is turned on when what it instruments is imported."""
    from tollbook.integrations import later  # noqa: PLC0415 - it asks for wrapt, which `import tollbook` need not

    def load() -> None:
        _status[point.name] = _turned_on(point)

    with shielded(f"wait for what {point.name} instruments"):
        wanted = later.wanted_by(point)
        if wanted.missing:
            return Seen(point.name, False, f"{wanted.missing} is not installed")
        if wanted.modules:
            _status[point.name] = Seen(point.name, True, "")
            later.when_imported(wanted.modules, point.module, load)  # at once, where that is imported already
            return _status[point.name]
    return _turned_on(point)


def _turned_on(point: "EntryPoint") -> Seen:
    from opentelemetry.instrumentation.dependencies import DependencyConflictError  # noqa: PLC0415 - 100 ms

    if point.name.startswith(_OURS):
        shield = _Noting(f"instrument {point.name}")
    else:
        shield = _Another(f"turn on OpenTelemetry's {point.name}")
    with shield:
        try:
            instrumentor = point.load()()
            if not instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.instrument(raise_exception_on_conflict=True)
        except ModuleNotFoundError as error:  # the library it instruments, most often
            return Seen(point.name, False, f"{error.name or error} is not installed")
        except DependencyConflictError as error:
            return Seen(point.name, False, _conflict(error))
        on = bool(instrumentor.is_instrumented_by_opentelemetry)
        return Seen(point.name, on, "" if on else "it refuses")
    return Seen(point.name, False, f"failed: {shield.said}")


class _Noting(shielded):
    """A shield that keeps what it swallowed."""

    said = ""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        self.said = f"{type(error).__name__}: {error}" if isinstance(error, ImportError) else type(error).__name__
        return super().__exit__(kind, error, traceback)


class _Another(_Noting):
    """The same around what is not ours: its fault is none of ours, nor that of the `import` that it was waiting for."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> bool:
        try:
            return super().__exit__(kind, error, traceback) or isinstance(error, Exception)
        finally:
            if isinstance(error, Exception):
                self.said = f"{type(error).__name__}: {error}"[:_MAX_SAID]
            if isinstance(error, Exception) and strict():  # nobody has said it yet
                _log.warning("tollbook could not %s (%s); the application is not affected", self.step, type(error).__name__)


def _conflict(error: Exception) -> str:
    """What an instrumentation needs that is not here."""
    conflict = getattr(error, "conflict", None)
    wanted = getattr(conflict, "required", None) or " or ".join(map(str, getattr(conflict, "required_any", None) or ()))
    found = getattr(conflict, "found", None) or ", ".join(map(str, getattr(conflict, "found_any", None) or ()))
    wanted = str(wanted).partition(";")[0].strip()
    return f"needs {wanted}, found {found}" if found else f"{wanted} is not installed"
