"""Bill: what providers billed against what the ledger knew, and the remainder by name."""

from tollbook_ui import figures as f
from tollbook_ui.answers import Answers
from tollbook_ui.dashboard import draw
from tollbook_ui.look import bill
from tollbook_ui.look.blocks import Note


def page(source: Answers, _chosen: f.Scope) -> None:
    """Draws the page. Bills have periods of their own, so the sidebar's does not count.

    Raises:
        StoreError: the store does not answer.
    """
    periods = source.bills.periods()
    if not periods:
        draw.blocks(bill.NONE_TAKEN)
        return
    found = source.bills.reconciliation()
    if not found.rows:
        draw.blocks(
            Note("No bill is reconciled yet", "Billed amounts take the place of estimates then.", ("tollbook bill reconcile",))
        )
    else:
        draw.blocks(bill.bill_cards(found), bill.missing_rates(found))
        for currency, stack in bill.destinations(found):
            draw.section(f"Where the money went, {currency}", stack)
        note = "Attributed, idle, shared and unattributed make up what was billed, to the last digit."
        draw.section("Service by service", bill.statement_table(found), note=note)
        if found.remainders:
            draw.section("The remainder, by name", bill.remainder_table(found))
    draw.section("Bills that were taken", bill.period_table(periods))
