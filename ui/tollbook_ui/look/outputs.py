"""AI outputs joined with stored records as blocks. Pure: answers in, blocks out."""

from collections.abc import Sequence

from tollbook_ui import units
from tollbook_ui.look import blocks
from tollbook_ui.look.blocks import Card, Cards, Cell, Column, Link, Note, Table
from tollbook_ui.outputs.figures import Output, Reconciled, Record

NOT_YET = Note(
    "No records to join with yet",
    "Give a file that a database or the listing of a bucket exports: CSV, JSON, JSON lines or Parquet, gzip or not, an id a row. "
    "Outputs that no record has, and records of no output, are listed. The file is not kept.",
    ("tollbook outputs reconcile FILE --by response",),
)

CLOSED = Note("Nothing is missing", "Every output has a record, and every record an output.", tone="good")


def cards(found: Reconciled) -> Cards:
    """Both sides and what they have in common."""
    return Cards(
        (
            Card("Outputs", units.count(found.outputs), _aside(found.repeated_outputs, found.outputs_without_id)),
            Card("Records", units.count(found.records), _aside(found.repeated_records, found.records_without_id)),
            Card("Matched", units.count(found.matched), f"by {found.by} and {found.column}"),
            _orphans("Outputs without a record", len(found.orphan_outputs), found.outputs),
            _orphans("Records without an output", len(found.orphan_records), found.records),
        )
    )


def output_table(rows: Sequence[Output], link: Link | None = None) -> Table:
    """Outputs whose id no record has."""
    columns = (Column("Id"), Column("Time, UTC"), Column("Service"), Column("Model"), Column("Told", True), Column("Request"))
    return Table(
        columns,
        tuple(
            (
                blocks.text(row.id),
                Cell(units.moment(row.time)),
                blocks.text(row.service_name),
                blocks.text(row.model),
                blocks.count(row.told),
                blocks.linked("open", row.trace_id, link),
            )
            for row in rows
        ),
    )


def record_table(rows: Sequence[Record]) -> Table:
    """Records whose id no output has."""
    return Table(
        (Column("Id"), Column("Line of the file", True)), tuple((blocks.text(row.id), blocks.count(row.line)) for row in rows)
    )


def _orphans(label: str, orphans: int, whole: int) -> Card:
    share = f"{units.percent(orphans / whole)} of them" if whole else ""
    return Card(label, units.count(orphans), share, tone="bad" if orphans else "good")


def _aside(repeated: int, without_id: int) -> str:
    said = (
        f"{units.count(repeated)} told more than once" if repeated else "",
        f"{units.count(without_id)} without an id" if without_id else "",
    )
    return ", ".join(part for part in said if part)
