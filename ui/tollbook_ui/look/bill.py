"""Bills against the ledger as blocks. Pure: answers in, blocks out."""

from decimal import Decimal

from tollbook_ui import units
from tollbook_ui.bills import rates
from tollbook_ui.bills.figures import MissingRate, Period, Reconciliation, Statement, total
from tollbook_ui.look import blocks, change, palette
from tollbook_ui.look.blocks import Card, Cards, Cell, Column, Note, Part, Stack, Table

NONE_TAKEN = Note(
    "No bill is here",
    "A bill in FOCUS, or an export of AWS, Azure, Google or OCI, takes the place of estimates and leaves a named remainder.",
    ("tollbook bill import FILE...", "tollbook bill reconcile"),
)
MOST_RATES = 5

PARTS = (
    ("attributed to requests", "attributed", palette.CATEGORIES["tokens"]),
    ("idle", "idle", palette.CATEGORIES["idle"]),
    ("shared", "shared", palette.CATEGORIES["shared"]),
    ("unattributed", "unattributed", palette.CATEGORIES["unattributed"]),
)


def bill_cards(found: Reconciliation) -> Cards:
    """What was billed against what had been estimated, and why they differ."""
    rows = found.rows
    billed, estimate = (total(getattr(row, name) for row in rows) for name in ("billed_usd", "estimate_usd"))
    reasons = (
        ("By price", "price_usd", "what a unit was billed at"),
        ("By quantity", "quantity_usd", "seen, and not billed"),
        ("By unknown usage", "unknown_usage_usd", "billed, and not seen"),
    )
    differences = (_signed(label, total(getattr(row, name) for row in rows), note) for label, name, note in reasons)
    return Cards(
        (
            Card("Billed", units.usd(billed), f"{found.cost} cost, in US dollars", units.usd_exact(billed)),
            Card("Estimated before", units.usd(estimate), f"billed: {units.change(billed, estimate)}", units.usd_exact(estimate)),
            *differences,
        )
    )


def destinations(found: Reconciliation) -> tuple[tuple[str, Stack], ...]:
    """Where billed money went, a bar for each currency."""
    currencies = sorted({row.currency for row in found.rows})
    return tuple((currency, _stack([row for row in found.rows if row.currency == currency], currency)) for currency in currencies)


def _stack(rows: list[Statement], currency: str) -> Stack:
    sums = ((label, total(getattr(row, name) for row in rows), colour) for label, name, colour in PARTS)
    return Stack(
        tuple(
            Part(label, amount, _plain(amount, currency), colour, _exact(amount, currency))
            for label, amount, colour in sums
            if amount
        )
    )


def missing_rates(found: Reconciliation) -> Note | None:
    """Charges in currencies without an exchange rate for their day; None where there is none."""
    missing = found.missing_rates
    told = tuple(f"{_plain(row.amount, row.currency)} of {row.provider}: {_missing(row)}" for row in missing[:MOST_RATES])
    more = (f"and {len(missing) - MOST_RATES:,} more: tollbook bill reconcile",) if len(missing) > MOST_RATES else ()
    commands = tuple(rates.command(row.currency, row.day) for row in missing[:MOST_RATES])
    text = "Billed in a currency that has no exchange rate for its day, so it is in no sum in dollars."
    return Note("Not in the ledger yet", text, commands, "warn", (*told, *more)) if missing else None


def _missing(row: MissingRate) -> str:
    return rates.told(row.currency, row.day, row.known_from, row.known_until)


def statement_table(found: Reconciliation, most: int = 25) -> Table:
    """Provider, service and account: four sums that make up what was billed, to the last digit."""
    rows = tuple(
        (
            Cell(row.billing_period),
            blocks.text(row.provider),
            blocks.text(row.account),
            blocks.text(row.service),
            *(_money(getattr(row, name), row.currency) for _, name, _ in PARTS),
            _money(row.billed, row.currency),
            Cell("closes", tone="good") if row.closes else Cell("open", tone="bad"),
        )
        for row in found.rows[:most]
    )
    numbers = ("Attributed", "Idle", "Shared", "Unattributed", "Billed")
    names = ("Period", "Provider", "Account", "Service")
    left = len(found.rows) - most
    foot = f"{left:,} more: tollbook bill reconcile" if left > 0 else ""
    return Table((*(Column(name) for name in names), *(Column(name, True) for name in numbers), Column("")), rows, foot=foot)


def remainder_table(found: Reconciliation, most: int = 20) -> Table:
    """Money that is attributed to nobody, by its name."""
    rows = tuple(
        (
            Cell(row.billing_period),
            blocks.text(row.provider),
            blocks.text(row.account),
            blocks.text(row.service),
            Cell(row.item),
            _money(row.amount, row.currency),
        )
        for row in found.remainders[:most]
    )
    names = ("Period", "Provider", "Account", "Service", "What it is")
    return Table((*(Column(name) for name in names), Column("Amount", True)), rows)


def period_table(rows: tuple[Period, ...]) -> Table:
    """Bills that were taken."""
    found = tuple(
        (
            blocks.text(row.provider),
            blocks.text(row.billing_account_id),
            Cell(f"{row.billing_period_start:%Y-%m-%d} to {row.billing_period_end:%Y-%m-%d}"),
            Cell(row.format),
            blocks.count(row.lines),
            _money(row.billed_cost, row.billing_currency),
            _money(row.effective_cost, row.billing_currency),
            Cell(f"{row.imported_at:%d %b %H:%M}"),
        )
        for row in rows
    )
    names = (Column("Provider"), Column("Account"), Column("Period"), Column("Format"))
    numbers = (Column("Lines", True), Column("Billed", True), Column("Effective", True))
    return Table((*names, *numbers, Column("Taken, UTC")), found)


def _signed(label: str, amount_usd: Decimal, note: str) -> Card:
    return Card(label, change.signed(amount_usd), note, units.usd_exact(amount_usd))


def _money(amount: Decimal, currency: str) -> Cell:
    return Cell(_plain(amount, currency), _exact(amount, currency), tone="" if amount else "muted")


def _plain(amount: Decimal, currency: str) -> str:
    return units.usd(amount) if currency == "USD" else f"{amount:,.2f} {currency}"


def _exact(amount: Decimal, currency: str) -> str:
    return units.usd_exact(amount) if currency == "USD" else f"{amount:f} {currency}"
