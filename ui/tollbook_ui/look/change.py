"""The bill bridge as blocks. Pure: answers in, blocks out."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, pairwise

from tollbook_ui import units
from tollbook_ui.costs.bridge import CAUSES
from tollbook_ui.costs.figures import Bridge, BridgeRow
from tollbook_ui.figures import Period
from tollbook_ui.look import blocks
from tollbook_ui.look.blocks import Card, Cards, Cell, Column, Note, Table

UP, DOWN, LEVEL = "#c4473a", "#128a6b", "#5c6773"
"""Colours of more, of less, and of the two sums."""


@dataclass(frozen=True)
class Step:
    """One column of the waterfall: a sum, or a cause that leads from one to the next."""

    what: str
    begin_usd: Decimal
    end_usd: Decimal
    colour: str
    text: str
    exact: str


def steps(found: Bridge) -> tuple[Step, ...]:
    """The columns, from before to after."""
    sums = [*accumulate((row.amount_usd for row in found.causes), initial=found.before_usd)]
    causes = (
        Step(row.cause, begin, end, UP if end > begin else DOWN, _label(row.amount_usd), units.usd_exact(row.amount_usd))
        for row, (begin, end) in zip(found.causes, pairwise(sums), strict=True)
    )
    return (_sum("before", found.before_usd), *causes, _sum("after", found.after_usd))


def _sum(what: str, amount_usd: Decimal) -> Step:
    return Step(what, Decimal(0), amount_usd, LEVEL, units.usd_short(amount_usd), units.usd_exact(amount_usd))


def _label(amount_usd: Decimal) -> str:
    return f"{'+' if amount_usd > 0 else ''}{units.usd_short(amount_usd)}"


def floor(found: Bridge) -> Decimal:
    """Where the columns begin: at 0, unless the causes would be slivers then."""
    heights = [step.end_usd for step in steps(found)]
    low, high = min(heights), max(heights)
    begin = low - (high - low)
    return begin.quantize(Decimal("0.01")) if begin > max(low / 3, Decimal("0.01")) else Decimal(0)


def change_cards(found: Bridge) -> Cards:
    """Before, after, the change, and what the sums cover."""
    percent = "" if found.change_ratio is None else units.growth(found.change_ratio)
    return Cards(
        (
            Card(
                "Before",
                units.usd(found.before_usd),
                period(found.before),
                units.usd_exact(found.before_usd),
            ),
            Card(
                "After",
                units.usd(found.after_usd),
                period(found.after),
                units.usd_exact(found.after_usd),
            ),
            Card("Change", signed(found.change_usd), percent, units.usd_exact(found.change_usd)),
            Card(
                "Calls with a price",
                f"{units.percent(found.priced_ratio_before)} → {units.percent(found.priced_ratio_after)}",
                "the rest is in neither sum",
                tone="muted" if found.priced_ratio_after is None else "",
            ),
        )
    )


def said(found: Bridge) -> Note:
    """The change in a sentence, and what to know before believing it."""
    return Note("In short", found.sentence, items=tuple(f"{note[:1].upper()}{note[1:]}." for note in found.notes))


def cause_table(found: Bridge) -> Table:
    """What each cause did; adds up to the change."""
    largest = max((abs(row.amount_usd) for row in found.causes), default=None)
    rows = tuple((Cell(row.cause), Cell(row.meaning), moved(row.amount_usd, largest)) for row in found.causes)
    return Table(
        (Column("Cause"), Column("What it is"), Column("Change", True)),
        rows,
        (Cell("Together"), Cell(""), moved(found.change_usd)),
    )


def driver_table(found: Bridge, most: int = 12) -> Table:
    """Cause by cause and workload by workload, what moved most first."""
    shown = found.drivers[:most]
    largest = max((abs(row.amount_usd) for row in shown), default=None)
    rows = tuple(
        (
            *(blocks.text(key, "none named") for key in row.workload),
            Cell(row.cause),
            Cell(row.detail),
            moved(row.amount_usd, largest),
            Cell(row.said),
        )
        for row in shown
    )
    names = tuple(Column(key.capitalize()) for key in found.by)
    return Table((*names, Column("Cause"), Column("Of"), Column("Change", True), Column("Figures")), rows)


def workload_table(found: Bridge, most: int = 15) -> Table:
    """Workloads that changed, the most first, with every cause that moved anything."""
    causes = [cause for cause in CAUSES if any(_of(row, cause) for row in found.rows)]
    changed = [row for row in found.rows if row.change_usd or any(_of(row, cause) for cause in causes)][:most]
    rows = tuple(
        (
            *(blocks.text(key, "none named") for key in row.workload),
            blocks.money(row.before_usd),
            blocks.money(row.after_usd),
            moved(row.change_usd),
            *(moved(_of(row, cause)) for cause in causes),
        )
        for row in changed
    )
    names = tuple(Column(key.capitalize()) for key in found.by)
    numbers = ("Before", "After", "Change", *(cause.capitalize() for cause in causes))
    total = (
        *(Cell("Total" if at == 0 else "") for at in range(len(names))),
        blocks.money(found.before_usd),
        blocks.money(found.after_usd),
        moved(found.change_usd),
        *(moved(sum((_of(row, cause) for row in found.rows), Decimal(0))) for cause in causes),
    )
    left = len(found.rows) - len(changed)
    foot = f"{units.counted(left, 'more workload')} in the total." if left else ""
    return Table((*names, *(Column(name, True) for name in numbers)), rows, total, foot)


def signed(amount_usd: Decimal) -> str:
    """Money with its sign."""
    return f"+{units.usd(amount_usd)}" if amount_usd > 0 else units.usd(amount_usd)


def moved(amount_usd: Decimal, largest: Decimal | None = None) -> Cell:
    """Money that was added or taken away; nothing is a dash."""
    if not amount_usd:
        return Cell("-", tone="muted")
    share = float(abs(amount_usd) / largest) if largest else None
    return Cell(signed(amount_usd), units.usd_exact(amount_usd), share, tone="bad" if amount_usd > 0 else "good")


def period(of: Period) -> str:
    """The period in few words."""
    return f"{of.since:%d %b %H:%M} to {of.until:%d %b %H:%M}"


def _of(row: BridgeRow, cause: str) -> Decimal:
    amount: Decimal = getattr(row, f"{cause}_usd")
    return amount
