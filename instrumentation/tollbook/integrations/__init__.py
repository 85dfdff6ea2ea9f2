"""One library, one file; each is an `opentelemetry_instrumentor` entry point, so `opentelemetry-instrument` finds it."""

import os
from typing import TYPE_CHECKING

from tollbook.shield import shielded

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint


def auto() -> list[str]:
    """Instrument every installed library that something can instrument, and return the names of what was turned on.

    Takes Tollbook's own integrations and all others installed under OpenTelemetry's entry point group, such as those
    for model clients and HTTP. `OTEL_PYTHON_DISABLED_INSTRUMENTATIONS` names exceptions, as everywhere.
    """
    from importlib.metadata import entry_points  # noqa: PLC0415 - 10 ms

    off = {name.strip() for name in os.environ.get("OTEL_PYTHON_DISABLED_INSTRUMENTATIONS", "").split(",")}
    if "*" in off:
        return []
    found = sorted(entry_points(group="opentelemetry_instrumentor"), key=lambda point: point.name)
    return [point.name for point in found if point.name not in off and _turned_on(point)]


def _turned_on(point: "EntryPoint") -> bool:
    from opentelemetry.instrumentation.dependencies import DependencyConflictError  # noqa: PLC0415 - 100 ms

    with shielded(f"instrument {point.name}"):
        try:
            instrumentor = point.load()()
            if not instrumentor.is_instrumented_by_opentelemetry:
                instrumentor.instrument(raise_exception_on_conflict=True)
        except (ModuleNotFoundError, DependencyConflictError):  # the library it instruments is not installed
            return False
        return bool(instrumentor.is_instrumented_by_opentelemetry)
    return False
