"""Budgets as blocks. Pure: answers in, blocks out."""

from decimal import Decimal

from tollbook_ui import units
from tollbook_ui.budgets.figures import Alerts, Budgets, Status, View
from tollbook_ui.look import blocks, palette
from tollbook_ui.look.blocks import Card, Cards, Cell, Column, Note, Part, Stack, Table, Tone

TONES: dict[str, Tone] = {"ok": "good", "warned": "warn", "burning": "warn", "forecast": "bad", "over": "bad"}
WORDS = {"ok": "well", "warned": "mostly spent", "burning": "too fast", "forecast": "will not last", "over": "overspent"}
NONE_SET = Note(
    "No budget is set",
    "A budget says what may be spent on what, over AI and cloud together, and who answers for it.",
    (
        "tollbook budget set all 5000 --owner ann",
        "tollbook budget set search 1500 --parent all --for team=search",
    ),
)
NOBODY_PAYS = "#c9a227"


def budget_cards(found: Budgets) -> Cards:
    """How many there are and how many need somebody."""
    broken = len(found.broken)
    tops = [row for row in found.rows if row.depth == 0]
    spent = sum((row.spent_usd for row in tops), Decimal(0))
    amount = sum((row.amount_usd for row in tops), Decimal(0))
    alike = len({row.period for row in tops}) == 1
    return Cards(
        (
            Card("Budgets", units.count(len(found.rows)), f"as of {found.at:%d %b %H:%M} UTC"),
            Card(
                "Broken or breaking",
                units.count(broken),
                "none" if not broken else ", ".join(row.budget for row in found.broken)[:60],
            ),
            *([Card("Spent, at the top", units.usd(spent), f"of {units.usd(amount)}", units.usd_exact(spent))] if alike else []),
            Card("Nobody answers for", units.count(len(found.nobody)), ", ".join(found.nobody)[:60]),
        )
    )


def budget_table(found: Budgets) -> Table:
    """Every budget, parents before what is part of them."""
    rows = tuple(_budget(row) for row in found.rows)
    numbers = ("Amount", "Spent", "Of it", "Time passed", "Forecast", "Pace")
    return Table(
        (Column("Budget"), Column("Owner"), Column("Pays for"), *(Column(name, True) for name in numbers), Column("State")), rows
    )


def _budget(row: Status) -> tuple[Cell, ...]:
    indent = "\u2003" * row.depth + ("└ " if row.depth else "")
    return (
        Cell(f"{indent}{row.budget}"),
        blocks.text(row.owner, "nobody", tone="" if row.owner else "warn"),
        blocks.text(", ".join(row.conditions), "everything" if row.depth == 0 else "all of its parent"),
        Cell(f"{units.usd(row.amount_usd)} a {row.period}", units.usd_exact(row.amount_usd)),
        blocks.money(row.spent_usd),
        blocks.percent(row.spent_ratio, bar=True),
        blocks.percent(row.elapsed_ratio, bar=True),
        blocks.money(row.forecast_usd),
        Cell(units.UNKNOWN, tone="muted") if row.burn_ratio is None else Cell(f"{row.burn_ratio:.2f}"),
        Cell(WORDS[row.state], row.reason, tone=TONES[row.state]),
    )


def reasons(found: Budgets) -> Note | None:
    """What is wrong, in words; None while all is well."""
    told = tuple(f"{row.budget} ({row.owner or 'nobody answers for it'}): {row.reason}." for row in found.rows if row.reason)
    tone: Tone = "bad" if found.broken else "warn"
    return Note("To see to", "", items=told, tone=tone) if told else None


def line_stack(found: View) -> Stack:
    """The money by budget line."""
    rows = [row for row in found.rows if row.amount_usd]
    return Stack(
        tuple(
            Part(
                row.budget or "no budget",
                row.amount_usd,
                units.usd(row.amount_usd),
                palette.series(at) if row.budget else NOBODY_PAYS,
                units.usd_exact(row.amount_usd),
            )
            for at, row in enumerate(rows)
        )
    )


def workload_stack(found: View, most: int = 12) -> Stack:
    """The same money by workload."""
    shown = [(row.workflow or "no workflow named", row.amount_usd) for row in found.workloads[:most]]
    left = sum((row.amount_usd for row in found.workloads[most:]), Decimal(0))
    everything = [*shown, *([("all others", left)] if left else [])]
    return Stack(
        tuple(
            Part(name, amount, units.usd(amount), palette.series(at), units.usd_exact(amount))
            for at, (name, amount) in enumerate(everything)
            if amount
        )
    )


def line_table(found: View) -> Table:
    """By budget line, closing with the total of both views."""
    largest = max((row.amount_usd for row in found.rows), default=None)
    rows = tuple(
        (
            blocks.text(row.budget, "no budget pays for it", tone="" if row.budget else "warn"),
            blocks.text(row.owner, "nobody"),
            blocks.money(row.amount_usd, largest),
        )
        for row in found.rows
    )
    total = (Cell("Total"), Cell(""), blocks.money(found.total_usd))
    return Table((Column("Budget line"), Column("Owner"), Column("Cost", True)), rows, total)


def workload_table(found: View, most: int = 15) -> Table:
    """By workload, closing with the same total."""
    largest = max((row.amount_usd for row in found.workloads), default=None)
    rows = tuple(
        (
            blocks.text(row.workflow, "no workflow named"),
            Cell(", ".join(name or "no budget" for name in row.budgets)),
            blocks.money(row.amount_usd, largest),
        )
        for row in found.workloads[:most]
    )
    left = len(found.workloads) - most
    total = (Cell("Total"), Cell(""), blocks.money(found.total_usd))
    foot = f"{left:,} more workloads are in the total." if left > 0 else ""
    return Table((Column("Workload"), Column("Paid for by"), Column("Cost", True)), rows, total, foot)


def unowned_table(found: View) -> Table:
    """What no budget pays for."""
    rows = tuple(
        (
            blocks.text(row.team, "none named"),
            blocks.text(row.workflow, "none named"),
            Cell(row.category),
            Cell(row.allocation),
            blocks.money(row.amount_usd),
        )
        for row in found.unowned
    )
    return Table((Column("Team"), Column("Workflow"), Column("Paid for"), Column("Went to"), Column("Cost", True)), rows)


def alert_table(found: Alerts) -> Table:
    """What was told, newest first."""
    rows = tuple(
        (
            Cell(f"{row.at:%d %b %H:%M}"),
            Cell(WORDS.get(row.state, row.state), tone=TONES.get(row.state, "")),
            Cell(row.message),
            Cell(row.told),
        )
        for row in found.rows
    )
    return Table((Column("When, UTC"), Column("State"), Column("What"), Column("Told by")), rows)
