"""A reconciliation of AI outputs as tables for a terminal."""

from collections.abc import Iterable

from rich.console import RenderableType

from tollbook_ui import units
from tollbook_ui.outputs.figures import Reconciled
from tollbook_ui.show import escape, headed, listed


def reconciled(found: Reconciled, limit: int) -> Iterable[RenderableType]:
    """The sums, and up to `limit` orphans of each side."""
    yield headed("AI outputs against stored records", found.period)
    yield escape(
        f"{units.counted(found.outputs, 'output')} by {found.by}, {units.counted(found.records, 'record')} by {found.column}: "
        f"{units.count(found.matched)} matched, {units.counted(len(found.orphan_outputs), 'orphan output')}, "
        f"{units.counted(len(found.orphan_records), 'orphan record')}"
    )
    yield from _asides(found)
    if found.orphan_outputs:
        yield listed(
            "Outputs without a record",
            ("id", "=time", "service", "model", "=trace"),
            ((o.id, units.moment(o.time), o.service_name, o.model, o.trace_id) for o in found.orphan_outputs[:limit]),
        )
        yield from _more(len(found.orphan_outputs) - limit)
    if found.orphan_records:
        rows = ((record.id, str(record.line)) for record in found.orphan_records[:limit])
        yield listed("Records without an output", ("id", ">line"), rows)
        yield from _more(len(found.orphan_records) - limit)


def _asides(found: Reconciled) -> Iterable[str]:
    """What the sums leave out."""
    told = (
        (found.repeated_outputs, "id", "that more than one output has: counted once"),
        (found.repeated_records, "id", "that more than one record has: counted once"),
        (found.outputs_without_id, "output", "without such an id: left out"),
        (found.records_without_id, "record", "without an id: left out"),
    )
    return (f"{units.counted(number, thing)} {what}" for number, thing, what in told if number)


def _more(number: int) -> Iterable[str]:
    return (f"and {units.count(number)} more: --limit, --format json",) if number > 0 else ()
