"""Rates and policies as tables for a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import RenderableType

from tollbook_ui import plain, units
from tollbook_ui.machines.figures import AcceleratorRate, Paid, Policy
from tollbook_ui.show import listed

NO_ACCELERATORS = "No accelerator has a price of its own. Set one with: tollbook rates accelerator 'NVIDIA H100' 2.50"
NO_COMMITMENTS = "Nothing was paid ahead, as far as we know: tollbook rates commitment NAME AMOUNT --from DAY --to DAY"


def policies(found: Sequence[Policy]) -> Iterable[RenderableType]:
    """Rules, newest first."""
    rows = (
        (row.tenant, row.subject, row.method, units.moment(row.valid_from) if row.valid_from else "ever", row.effect, row.source)
        for row in found
    )
    yield listed("Policies", ("tenant", "about", "method", "=since, UTC", "what it does", "set by"), rows)


def accelerators(found: Sequence[AcceleratorRate]) -> Iterable[RenderableType]:
    """Prices of accelerator hours."""
    if not found:
        yield NO_ACCELERATORS
        return
    rows = (
        (
            row.model, row.provider, row.region or "every", plain.number(row.amount), row.currency, units.moment(row.valid_from),
            units.moment(row.valid_until) if row.valid_until else "", row.source,
        )
        for row in found
    )  # fmt: skip
    headings = ("model", "provider", "region", ">per hour", "currency", "=valid from", "=valid until", "source")
    yield listed("Prices of accelerator hours", headings, rows)


def commitments(found: Sequence[Paid]) -> Iterable[RenderableType]:
    """What was paid ahead."""
    if not found:
        yield NO_COMMITMENTS
        return
    rows = (
        (
            row.commitment_id, row.kind, row.covers or "everything", row.unit or "fixed fee",
            "any" if row.capacity_per_hour is None else plain.number(row.capacity_per_hour), plain.number(row.amount),
            row.currency, units.moment(row.valid_from), units.moment(row.valid_until), row.tenant,
        )
        for row in found
    )  # fmt: skip
    headings = ("name", "kind", "covers", "counted in", ">an hour", ">amount", "currency", "=from", "=until", "tenant")
    yield listed("What was paid ahead", headings, rows)
