"""Outcomes as tables for a terminal."""

from collections.abc import Iterable, Sequence

from rich.console import RenderableType

from tollbook_ui import units
from tollbook_ui.outcomes.figures import Capacity, Headlines, Output, Return
from tollbook_ui.outcomes.formulas import Growth, Tax
from tollbook_ui.show import headed, listed, name, told


def roi(found: Return) -> Iterable[RenderableType]:
    """Benefit, costs, and what is left."""
    yield headed("Return" + (f" of {', '.join(found.where)}" if found.where else ""), found.period)
    yield told(
        ("Benefit", units.usd_exact(found.benefit_usd)),
        ("  to run", units.usd_exact(found.run_usd)),
        ("  idle and shared", units.usd_exact(found.idle_usd)),
        ("  integration", units.usd_exact(found.tax_usd)),
        ("Net", units.usd_exact(found.net_usd)),
        ("Return on cost", units.percent(found.roi)),
        ("Model calls with a price", units.percent(found.calls_priced_ratio)),
    )


def capacity(found: Capacity) -> Iterable[RenderableType]:
    """What was paid for and not used, by team."""
    yield headed("Empty capacity", found.period)
    yield told(
        ("Total", units.usd_exact(found.total_usd)),
        ("  used by work that somebody owns", units.usd_exact(found.used_usd)),
        ("  empty", units.usd_exact(found.empty_usd)),
    )
    rows = (
        (
            name(row.team),
            units.usd(row.used_usd),
            units.usd(row.idle_usd),
            units.usd(row.shared_usd),
            units.usd(row.unattributed_usd),
            units.usd(row.unowned_usd),
            units.percent(row.empty_ratio),
        )
        for row in found.rows
    )
    yield listed("", ("team", ">used", ">idle", ">shared", ">unattributed", ">unowned", ">empty"), rows)


def output(found: Output) -> Iterable[RenderableType]:
    """Spend against output; the first row is of everything."""
    yield headed("Spend against output", found.after)
    rows = (
        (
            "everything" if at == 0 else name(row.workflow),
            units.usd(row.spend_before_usd),
            units.usd(row.spend_after_usd),
            _change(row.spend_change),
            units.count(row.requests_after),
            _change(row.output_change),
            _change(row.unit_cost_change),
            "dearer" if row.flagged else "",
        )
        for at, row in enumerate(found.rows)
    )
    columns = ("workflow", ">before", ">after", ">spend", ">requests", ">output", ">one output", "flag")
    yield listed("", columns, rows)


def headlines(found: Headlines) -> Iterable[RenderableType]:
    """Four numbers by workflow and time."""
    yield headed("Headline numbers", found.period)
    rows = (
        (
            f"{row.time:%Y-%m-%d %H:%M}",
            name(row.workflow),
            units.count(row.requests),
            units.duration(row.duration_p50_ns),
            units.age(row.input_age_p50_ns),
            units.usd(row.usd_per_request),
            units.UNKNOWN if row.score_mean is None else f"{row.score_mean:.3g}",
            units.percent(row.good_ratio),
        )
        for row in found.rows
    )
    columns = ("=time, UTC", "workflow", ">requests", ">latency", ">age of input", ">cost of one", ">score", ">good")
    yield listed("", columns, rows)


def tax(found: Sequence[Tax]) -> Iterable[RenderableType]:
    """The integration tax at several shares."""
    yield told(*((f"{units.percent(one.share)} of the time", f"{units.usd_exact(one.quarter_usd)} a quarter") for one in found))


def grown(found: Growth) -> Iterable[RenderableType]:
    """Growth by the month."""
    yield f"{found.month_ratio * 100:.3f}% a month, compounded"
    yield f"cost of one output: x {found.unit_cost_factor:.4g}"


def _change(value: float | None) -> str:
    return units.UNKNOWN if value is None else units.growth(value)
