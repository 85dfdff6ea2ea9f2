"""Answers about cost as tables for a terminal. Money that nobody knows is 'unknown', never $0."""

from collections.abc import Iterable
from decimal import Decimal

from rich.console import RenderableType

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.costs.bridge import CAUSES
from tollbook_ui.costs.figures import Anomalies, Bridge, Caches, Cost, CostRow
from tollbook_ui.show import escape, headed, listed, name, told


def cost(found: Cost) -> Iterable[RenderableType]:
    """Money by keys, closing with the total and how much of it is known."""
    yield headed("Cost" + (f" by {', '.join(found.by)}" if found.by else ""), found.period)
    headings = (
        *found.by,
        ">cost",
        ">share",
        ">calls",
        ">unpriced",
        ">requests",
        ">per request",
        ">per 1,000 tokens",
        ">per good answer",
    )
    yield listed("", headings, (_cost_row(row) for row in found.rows))
    yield told(
        ("Total", units.usd_exact(found.total.amount_usd)),
        ("  on estimates", units.usd_exact(found.total.estimated_usd)),
        ("  wasted", units.usd_exact(found.total.wasted_usd)),
        ("  simulated", units.usd_exact(found.total.simulated_usd)),
        ("Model calls with a price", units.percent(found.calls_priced_ratio)),
        ("  their share of the tokens", units.percent(found.total.tokens_priced_ratio)),
    )


def _cost_row(row: CostRow) -> tuple[str, ...]:
    return (
        *_keys(row.keys),
        units.usd(row.amount_usd),
        units.percent(row.share),
        _count(row.calls),
        _count(row.unpriced_calls),
        _count(row.requests),
        _each(row.usd_per_request),
        _each(row.usd_per_thousand_tokens),
        _each(row.usd_per_good_answer),
    )


def bridge(found: Bridge) -> Iterable[RenderableType]:
    """The change in a sentence, its causes, the workloads, and what drove it."""
    yield headed("Bill bridge", found.after)
    yield escape(found.sentence)
    yield told(
        (f"Before, {_period(found.before)}", units.usd_exact(found.before_usd)),
        *((f"  {row.cause}: {row.meaning}", signed(row.amount_usd)) for row in found.causes),
        (f"After, {_period(found.after)}", units.usd_exact(found.after_usd)),
    )
    drivers = (
        (*_keys(driver.workload), driver.cause, driver.detail, signed(driver.amount_usd), driver.said) for driver in found.drivers
    )
    if found.drivers:
        yield listed("What moved it", (*found.by, "cause", "of", ">change", "figures"), drivers)
    changed = [row for row in found.rows if row.change_usd or any(getattr(row, f"{cause}_usd") for cause in CAUSES)]
    rows = (
        (
            *_keys(row.workload),
            units.usd(row.before_usd),
            units.usd(row.after_usd),
            signed(row.change_usd),
            units.change(row.after_usd, row.before_usd),
        )
        for row in changed[:20]
    )
    if changed:
        yield listed("Workloads that changed", (*found.by, ">before", ">after", ">change", ">in percent"), rows)
    if left := len(found.rows) - len(changed[:20]):
        yield f"{units.counted(left, 'more workload')} {'is' if left == 1 else 'are'} in the sums; all are in -f json."
    for note in found.notes:
        yield escape(f"Note: {note}.")


def anomalies(found: Anomalies) -> Iterable[RenderableType]:
    """What is out of the ordinary, or that nothing is."""
    yield headed("Out of the ordinary", found.period)
    if not found.rows:
        if found.known_since is None:
            yield "Unknown: no hour is settled, so there is nothing to compare with. Settle with: tollbook settle"
            return
        since = units.moment(found.known_since)
        yield f"Nothing is. Cost is known since {since} UTC; an hour is compared with hours like it before."
        return
    rows = (
        (
            *_keys(row.keys),
            f"{row.since:%Y-%m-%d %H:%M}",
            units.age(int((row.until - row.since).total_seconds()) * units.NS_PER_SECOND),
            units.usd(row.amount_usd),
            units.usd(row.usual_usd),
            signed(row.more_usd),
            row.cause,
        )
        for row in found.rows
    )
    yield listed("", (*found.by, "=when, UTC", ">for", ">cost", ">usual", ">more", "what moved it"), rows)


def caches(found: Caches) -> Iterable[RenderableType]:
    """What caching saved and cost."""
    yield headed("Caches", found.period)
    yield told(
        ("Saved by reading", units.usd_exact(found.saved_usd)),
        ("  paid more for writing", units.usd_exact(found.write_premium_usd)),
        ("  of it for what nobody read, at least", units.usd_exact(found.wasted_usd)),
        ("Net", units.usd_exact(found.net_usd)),
        ("Input read from caches", units.percent(found.hit_ratio)),
        ("Calls that your own caches answered", units.count(found.avoided_calls)),
        ("  they would have cost", units.usd_exact(found.avoided_usd)),
    )
    rows = (
        (
            name(row.workflow),
            row.model,
            units.percent(row.hit_ratio),
            units.count(float(row.read_tokens)),
            units.count(float(row.written_tokens)),
            units.count(float(row.unread_tokens)),
            units.usd(row.saved_usd),
            units.usd(row.write_premium_usd),
            units.usd(row.wasted_usd),
            units.usd(row.net_usd),
        )
        for row in found.rows
    )
    columns = ("workflow", "model", ">hit rate", ">read", ">written", ">never read", ">saved", ">premium", ">wasted", ">net")
    yield listed("By workflow and model", columns, rows)


def signed(amount_usd: Decimal) -> str:
    """Money with its sign."""
    return f"+{units.usd(amount_usd)}" if amount_usd > 0 else units.usd(amount_usd)


def _keys(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(name(value) for value in values)


def _period(period: f.Period) -> str:
    return f"{period.since:%Y-%m-%d %H:%M} to {period.until:%Y-%m-%d %H:%M}"


def _count(value: int | None) -> str:
    return "-" if value is None else units.count(value)


def _each(value: Decimal | None) -> str:
    return "-" if value is None else units.usd(value)
