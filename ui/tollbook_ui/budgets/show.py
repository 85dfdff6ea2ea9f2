"""Budgets as tables for a terminal."""

from collections.abc import Iterable

from rich.console import RenderableType

from tollbook_ui import units
from tollbook_ui.budgets.figures import Alerts, Budgets, View
from tollbook_ui.show import escape, headed, listed, name, told

NONE_SET = "No budget is set. Set one with: tollbook budget set AI 5000 --owner ann"


def budgets(found: Budgets) -> Iterable[RenderableType]:
    """Every budget, parents before what is part of them."""
    if not found.rows:
        yield NONE_SET
        return
    rows = (
        (
            "  " * row.depth + row.budget,
            name(row.owner),
            ", ".join(row.conditions) or "everything",
            f"{units.usd(row.amount_usd)} a {row.period}",
            units.usd(row.spent_usd),
            units.percent(row.spent_ratio),
            units.percent(row.elapsed_ratio),
            units.usd(row.forecast_usd),
            row.state,
            row.reason,
        )
        for row in found.rows
    )
    headings = ("budget", "owner", "pays for", ">amount", ">spent", ">in percent", ">of the time", ">forecast", "=state", "why")
    yield listed("Budgets", headings, rows)
    if found.nobody:
        yield escape(f"Nobody answers for: {', '.join(found.nobody)}.")


def view(found: View) -> Iterable[RenderableType]:
    """Both views of one sum."""
    yield headed("Budget lines and workloads", found.period)
    lines = ((row.budget or "no budget", name(row.owner), units.usd_exact(row.amount_usd)) for row in found.rows)
    yield listed("By budget line", ("budget", "owner", ">amount"), lines)
    works = (
        (name(row.workflow), ", ".join(name or "no budget" for name in row.budgets), units.usd_exact(row.amount_usd))
        for row in found.workloads
    )
    yield listed("By workload", ("workflow", "paid for by", ">amount"), works)
    if found.unowned:
        rows = (
            (name(row.team), name(row.workflow), row.category, row.allocation, units.usd_exact(row.amount_usd))
            for row in found.unowned
        )
        yield listed("What no budget pays for", ("team", "workflow", "category", "goes to", ">amount"), rows)
    yield told(("Total of either", units.usd_exact(found.total_usd)))


def alerts(found: Alerts) -> Iterable[RenderableType]:
    """What was told."""
    if not found.rows:
        yield "No alert was told. A budget that is warned, burning, forecast to break or over is told after a settlement."
        return
    rows = ((units.moment(row.at), row.state, row.budget, row.message, row.told) for row in found.rows)
    yield listed("Alerts", ("=when, UTC", "state", "budget", "what", "told by"), rows)
