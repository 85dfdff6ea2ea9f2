"""Money as blocks: the period at a glance, by category and by owner. Pure: figures in, blocks out."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.answers import total
from tollbook_ui.look import blocks, palette
from tollbook_ui.look.blocks import Card, Cards, Cell, Column, Part, Stack, Table

UNOWNED = "no owner named"
UNNAMED = "no workflow named"
ALLOCATIONS = {
    "request": "requests",
    "idle": "idle time",
    "shared": "shared, by nobody's request",
    "unattributed": "nobody: unattributed",
}


def headline(now: f.Overview, before: f.Overview | None = None) -> Cards:
    """The period in six numbers, each with its change since the period before where one is given."""
    totals, traffic, cover = now.totals, now.traffic, now.coverage
    per_request = average(totals.requests_usd, traffic.requests)
    past = None if before is None or not before.traffic.requests else before
    return Cards(
        (
            Card(
                "Total cost",
                units.usd(totals.total_usd),
                simulated_note(totals),
                units.usd_exact(totals.total_usd),
                delta=_delta(before, totals.total_usd, past.totals.total_usd if past else None),
            ),
            Card(
                "Requests",
                units.count(traffic.requests),
                f"{units.count(traffic.errors)} with an error",
                delta=_delta(before, Decimal(traffic.requests), Decimal(past.traffic.requests) if past else None),
            ),
            Card(
                "Cost per request, mean",
                units.usd(per_request),
                _mean_note(now),
                units.usd_exact(per_request),
                tone="" if per_request is not None else "muted",
                delta=_delta(
                    before,
                    per_request,
                    average(past.totals.requests_usd, past.traffic.requests) if past else None,
                ),
            ),
            _measured("Duration, median", traffic.duration_p50_ns, f"95% within {units.duration(traffic.duration_p95_ns)}"),
            Card(
                "Age of input, median",
                units.age(traffic.input_age_p50_ns),
                f"known for {units.percent(cover.inferences_with_age_ratio)} of inferences",
                tone="" if traffic.input_age_p50_ns is not None else "muted",
            ),
            Card(
                "Calls with a price",
                units.percent(cover.calls_priced_ratio),
                _priced(cover),
                tone="" if cover.calls else "muted",
            ),
        )
    )


def _priced(cover: f.Coverage) -> str:
    if not cover.calls:
        return "no calls"
    tokens = f", {units.percent(cover.tokens_priced_ratio)} of tokens" if cover.tokens else ""
    return f"{units.count(cover.calls_priced)} of {units.count(cover.calls)}{tokens}"


def average(total_usd: Decimal, count: int) -> Decimal | None:
    """Mean in dollars; None of nothing."""
    return total_usd / count if count else None


def simulated_note(totals: f.Totals) -> str:
    """How much of the total a stand-in would have cost."""
    if not totals.simulated_usd:
        return "to the last digit on hover"
    return f"of it {units.usd(totals.simulated_usd)} simulated"


def _mean_note(now: f.Overview) -> str:
    notes = ("with simulated money" if now.totals.simulated_usd else "", "without unpriced calls" if now.unpriced else "")
    return ", ".join(note for note in notes if note)


def money_stack(rows: Iterable[f.CategoryCost]) -> Stack:
    """Where the money went: categories of what requests caused, then idle, shared, unattributed."""
    sums: dict[tuple[str, bool], Decimal] = defaultdict(Decimal)
    for row in rows:
        key = destination(row.category, row.allocation), row.simulated
        sums[key] = total((sums[key], row.amount_usd))
    ordered = sorted(sums.items(), key=lambda item: -item[1])
    return Stack(tuple(_part(name, simulated, amount) for (name, simulated), amount in ordered))


def destination(category: str, allocation: str) -> str:
    """What a request caused goes by its category, the rest by where it ended up."""
    return category if allocation == "request" else allocation


def category_table(overview: f.Overview) -> Table:
    """Money by category and allocation, closing with the total."""
    largest = max((row.amount_usd for row in overview.rows), default=None)
    rows = tuple(
        (
            Cell(row.category, badge=blocks.SIMULATED if row.simulated else ""),
            Cell(ALLOCATIONS.get(row.allocation, row.allocation)),
            blocks.count(row.lines),
            blocks.money(row.amount_usd, largest),
            blocks.percent(blocks.ratio(row.amount_usd, overview.totals.total_usd)),
        )
        for row in overview.rows
    )
    totals = overview.totals
    return Table(
        (
            Column("Category"),
            Column("Went to"),
            Column("Ledger lines", True),
            Column("Cost", True),
            Column("Share", True),
        ),
        rows,
        (Cell("Total"), Cell(""), blocks.count(totals.lines), blocks.money(totals.total_usd), Cell("")),
    )


@dataclass(frozen=True)
class _Sum:
    """Money of one name at one place."""

    requests: int
    amount_usd: Decimal | None
    simulated_usd: Decimal
    unpriced_calls: int

    def __add__(self, row: f.OwnerRow) -> "_Sum":
        known = [amount for amount in (self.amount_usd, row.amount_usd) if amount is not None]
        return _Sum(
            self.requests + row.requests,
            total(known) if known else None,
            total((self.simulated_usd, row.simulated_usd)),
            self.unpriced_calls + row.unpriced_calls,
        )


def owner_table(owners: f.Owners, key: str) -> Table:
    """Money by one owner key; idle, shared and unattributed money of no owner stay apart, and what has no price is said."""
    merged: dict[tuple[str, str], _Sum] = defaultdict(lambda: _Sum(0, None, Decimal(0), 0))
    for row in owners.rows:
        merged[getattr(row, key) or "", row.allocation] += row
    ordered = sorted(merged.items(), key=lambda item: (item[1].amount_usd is None, -(item[1].amount_usd or 0)))
    largest = ordered[0][1].amount_usd if ordered else None
    rows = tuple(
        (_owner(name, where, key), *_owned(found, where, largest, owners.totals.total_usd)) for (name, where), found in ordered
    )
    return Table(
        (
            Column(key.capitalize()),
            Column("Requests", True),
            Column("Cost", True),
            Column("Per request", True),
            Column("Share", True),
        ),
        rows,
        (Cell("Total"), Cell(""), blocks.money(owners.totals.total_usd), Cell(""), Cell("")),
    )


def _owned(found: _Sum, allocation: str, largest_usd: Decimal | None, whole_usd: Decimal) -> tuple[Cell, ...]:
    nothing, amount = Cell("-", tone="muted"), found.amount_usd
    badges = (blocks.simulated(found.simulated_usd, amount), blocks.unpriced(found.unpriced_calls))
    return (
        blocks.count(found.requests) if allocation == "request" else nothing,
        blocks.money(amount, largest_usd, ", ".join(filter(None, badges))),
        nothing if amount is None or not found.requests else blocks.money(average(amount, found.requests)),
        nothing if amount is None else blocks.percent(blocks.ratio(amount, whole_usd)),
    )


def _delta(before: f.Overview | None, now: Decimal | None, past: Decimal | None) -> str:
    if before is None:
        return ""
    said = units.change(now, past)
    if said == units.UNKNOWN:
        return "the week before is unknown"
    return "unchanged" if said == "unchanged" else f"{said} to the week before"


def _measured(label: str, value_ns: int | None, note: str) -> Card:
    if value_ns is None:
        return Card(label, units.UNKNOWN, tone="muted")
    return Card(label, units.duration(value_ns), note, f"{value_ns:,} ns")


def _part(name: str, simulated: bool, amount_usd: Decimal) -> Part:
    label = f"{name}, {blocks.SIMULATED}" if simulated else name
    return Part(label, amount_usd, units.usd(amount_usd), palette.category(name), units.usd_exact(amount_usd))


def _owner(name: str, allocation: str, key: str) -> Cell:
    if allocation != "request":
        return Cell(f"{name}, {allocation}" if name else ALLOCATIONS.get(allocation, allocation), tone="muted")
    return blocks.text(name, UNNAMED if key == "workflow" else UNOWNED)
