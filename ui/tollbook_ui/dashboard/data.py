"""Data: what moved over which boundary, what lies where, which services were paid by use, and what it cost."""

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import draw
from tollbook_ui.look import data as look

MOST_ROWS = 15
"""Rows of a table that are shown at once; the rest is folded away."""


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    moved, stored, services = source.data.transfers(chosen), source.data.stored(chosen), source.data.services(chosen)
    if not (moved.rows or stored.rows or services.rows):
        draw.nothing(
            "No data was seen to leave a machine, or to lie, in this period",
            "What requests show as bytes moved stayed within a machine, where data crosses no boundary and costs nothing. "
            "Mark the places where data changes hands, and declare what is stored. Storage is booked when its day is over.",
            '@tollbook.handoff(operation="read", source="s3:corpus", destination="worker")',
            "tollbook storage import FILE.csv",
        )
        return
    draw.blocks(look.cards(moved, stored, services))
    if moved.rows:
        draw.section("What moved", look.boundary_stack(moved), note="Bytes by the boundary that they crossed, each counted once.")
        draw.folded(moved.rows, look.transfer_table, MOST_ROWS)
    if stored.rows:
        draw.heading("What is stored", "Days that are over. An asset with more than one copy is paid for more than once.")
        draw.folded(stored.rows, look.stored_table, MOST_ROWS)
    if services.rows:
        draw.heading("Services paid by use")
        draw.folded(services.rows, look.service_table, MOST_ROWS)
