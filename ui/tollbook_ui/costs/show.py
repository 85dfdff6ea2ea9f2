"""Answers about cost as tables for a terminal. Money that nobody knows is 'unknown', never $0."""

from collections.abc import Iterable
from decimal import Decimal

from rich.console import RenderableType

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.costs.figures import Bridge, Cost, CostRow
from tollbook_ui.show import NOBODY, escape, headed, listed, told


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
    yield listed("What moved it", (*found.by, "cause", "of", ">change", "figures"), drivers)
    rows = (
        (
            *_keys(row.workload),
            units.usd(row.before_usd),
            units.usd(row.after_usd),
            signed(row.change_usd),
            units.change(row.after_usd, row.before_usd),
        )
        for row in found.rows[:20]
    )
    yield listed("Workloads", (*found.by, ">before", ">after", ">change", ">in percent"), rows)
    for note in found.notes:
        yield escape(f"Note: {note}.")


def signed(amount_usd: Decimal) -> str:
    """Money with its sign."""
    return f"+{units.usd(amount_usd)}" if amount_usd > 0 else units.usd(amount_usd)


def _keys(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(value or NOBODY for value in values)


def _period(period: f.Period) -> str:
    return f"{period.since:%Y-%m-%d %H:%M} to {period.until:%Y-%m-%d %H:%M}"


def _count(value: int | None) -> str:
    return "-" if value is None else units.count(value)


def _each(value: Decimal | None) -> str:
    return "-" if value is None else units.usd(value)
