"""Cost by keys, caching and anomalies as blocks. Pure: answers in, blocks out."""

from collections.abc import Sequence
from decimal import Decimal

from tollbook_ui import units
from tollbook_ui.costs.figures import Anomalies, Caches, Cost, CostRow
from tollbook_ui.look import blocks
from tollbook_ui.look.blocks import Card, Cards, Cell, Column, Note, Table

NAMELESS = "none named"
NO_CACHE = "No call of this period read from a provider's cache or wrote to one."


def cost_cards(found: Cost) -> Cards:
    """The total, what a unit costs, what was wasted, and how much of it is known."""
    total = found.total
    good = "no answer has a score" if not total.scored_requests else f"{total.good_requests:,} of {total.scored_requests:,} good"
    return Cards(
        (
            _money("Total cost", total.amount_usd, _simulated(total)),
            _money(
                "Per request",
                total.usd_per_request,
                "" if total.requests is None else f"{total.requests:,}, and all cost, idle included",
            ),
            _money("Per 1,000 tokens", total.usd_per_thousand_tokens, "all cost, machines included"),
            _money("Per good answer", total.usd_per_good_answer, good),
            _money("Wasted", total.wasted_usd, "failed, retried, cut off, duplicate"),
            Card(
                "Calls with a price",
                units.percent(found.calls_priced_ratio),
                _without_price(total),
                tone="" if total.calls else "muted",
            ),
        )
    )


def _without_price(total: CostRow) -> str:
    if not total.unpriced_calls:
        return "all of them" if total.calls else "no calls"
    of_tokens = "" if total.tokens_priced_ratio is None else f", {units.percent(total.tokens_priced_ratio)} of tokens"
    return f"{total.unpriced_calls:,} without{of_tokens}"


def cost_table(found: Cost, most: int = 200) -> Table:
    """Money by keys, closing with the total."""
    largest = max((row.amount_usd for row in found.rows if row.amount_usd is not None), default=None)
    rows = tuple(_cost_row(row, largest) for row in found.rows[:most])
    left = len(found.rows) - most
    return Table(
        (
            *(Column(key.capitalize()) for key in found.by),
            Column("Cost", True),
            Column("Share", True),
            Column("Requests", True),
            Column("Per request", True),
            Column("Calls", True),
            Column("Per 1,000 tokens", True),
            Column("Per good answer", True),
            Column("Wasted", True),
        ),
        rows,
        (*_total_label(found), blocks.money(found.total.amount_usd), *[Cell("")] * 7),
        foot=f"{left:,} more rows: tollbook cost --by {','.join(found.by)}" if left > 0 else "",
    )


def _total_label(found: Cost) -> tuple[Cell, ...]:
    return tuple(Cell("Total" if at == 0 else "") for at in range(len(found.by)))


def _cost_row(row: CostRow, largest: Decimal | None) -> tuple[Cell, ...]:
    badges = (blocks.simulated(row.simulated_usd, row.amount_usd), blocks.unpriced(row.unpriced_calls or 0))
    return (
        *(blocks.text(key, NAMELESS) for key in row.keys),
        blocks.money(row.amount_usd, largest, ", ".join(filter(None, badges))),
        blocks.percent(row.share),
        _known(row.requests),
        _each(row.usd_per_request),
        _known(row.calls),
        _each(row.usd_per_thousand_tokens),
        _each(row.usd_per_good_answer),
        blocks.money(row.wasted_usd) if row.wasted_usd else Cell("-", tone="muted"),
    )


def cache_cards(found: Caches) -> Cards:
    """What caching came to."""
    avoided = Card("Avoided", "none", "no cache of your own answered", tone="muted")
    if found.avoided_calls:
        avoided = _money("Avoided", found.avoided_usd, f"{units.counted(found.avoided_calls, 'call')} answered by your own")
    return Cards(
        (
            Card("Input read from caches", units.percent(found.hit_ratio), tone="" if found.hit_ratio is not None else "muted"),
            _money("Saved by reading", found.saved_usd, f"{found.unknown_rows} rows unknown" if found.unknown_rows else ""),
            _money("Paid more for writing", found.write_premium_usd),
            _money("Of it never read", found.wasted_usd, "at least"),
            _money("Net", found.net_usd),
            avoided,
        )
    )


def cache_table(found: Caches) -> Table:
    """By workflow and model, what reached a cache first."""
    used = [row for row in found.rows if row.read_tokens or row.written_tokens]
    rows = tuple(
        (
            blocks.text(row.workflow, NAMELESS),
            Cell(row.model),
            blocks.percent(row.hit_ratio, bar=True),
            blocks.count(float(row.read_tokens)),
            blocks.count(float(row.written_tokens)),
            blocks.count(float(row.unread_tokens)),
            blocks.money(row.saved_usd),
            blocks.money(row.wasted_usd),
            _signed(row.net_usd),
        )
        for row in used
    )
    numbers = ("Hit rate", "Tokens read", "Written", "Never read", "Saved", "Wasted", "Net")
    return Table((Column("Workflow"), Column("Model"), *(Column(name, True) for name in numbers)), rows)


def anomaly_table(found: Anomalies) -> Table:
    """What is out of the ordinary, the dearest first."""
    largest = max((row.more_usd for row in found.rows), default=None)
    rows = tuple(
        (
            *(blocks.text(key, NAMELESS) for key in row.keys),
            Cell(f"{row.since:%d %b %H:%M}"),
            blocks.age(int((row.until - row.since).total_seconds()) * units.NS_PER_SECOND),
            blocks.money(row.amount_usd),
            blocks.money(row.usual_usd),
            blocks.money(row.more_usd, largest),
            Cell(row.cause or "unknown: too little came before", tone="" if row.cause else "muted"),
        )
        for row in found.rows
    )
    names = tuple(Column(key.capitalize()) for key in found.by)
    return Table(
        (
            *names,
            Column("From, UTC"),
            Column("For"),
            *(Column(name, True) for name in ("Cost", "Usual", "More")),
            Column("What moved it"),
        ),
        rows,
    )


def quiet(found: Anomalies) -> Note:
    """Why there is nothing out of the ordinary to show."""
    if found.known_since is None:
        return Note("Nothing to compare with", "No hour is settled yet.")
    since = units.moment(found.known_since)
    return Note("Nothing is out of the ordinary", f"Hours are compared with hours like them since {since} UTC.", tone="good")


def top(rows: Sequence[CostRow], most: int) -> list[str]:
    """Names of the dearest groups, by their first key."""
    sums: dict[str, Decimal] = {}
    for row in rows:
        sums[row.keys[0]] = sums.get(row.keys[0], Decimal(0)) + (row.amount_usd or 0)
    return [name for name, _ in sorted(sums.items(), key=lambda entry: (-entry[1], entry[0]))[:most]]


def _money(label: str, amount_usd: Decimal | None, note: str = "") -> Card:
    cell = blocks.money(amount_usd)
    return Card(label, cell.text, note, cell.exact, tone=cell.tone)


def _simulated(total: CostRow) -> str:
    return f"of it {units.usd(total.simulated_usd)} simulated" if total.simulated_usd else "to the last digit on hover"


def _known(value: int | None) -> Cell:
    return Cell("-", tone="muted") if value is None else blocks.count(value)


def _each(value: Decimal | None) -> Cell:
    return Cell("-", tone="muted") if value is None else blocks.money(value)


def _signed(value: Decimal | None) -> Cell:
    if value is None:
        return blocks.money(value)
    return Cell(units.usd(value), units.usd_exact(value), tone="good" if value > 0 else "bad" if value < 0 else "")
