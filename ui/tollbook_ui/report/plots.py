"""The report's plots as SVG, drawn by matplotlib. Text stays text, so it scales, prints and can be searched."""

import io
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tollbook_ui import figures as f
from tollbook_ui import plain, units
from tollbook_ui.look import change, effort, palette
from tollbook_ui.look.cost import destination
from tollbook_ui.weekly import Weekly

_ONE_AT_A_TIME = threading.Lock()
"""matplotlib keeps its style in the process."""

WIDE = (9.4, 2.5)
"""Inches; as wide as the report, so that text of 9 points is about as large as the text around it."""

HOUR = timedelta(hours=1)

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a8f96",
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#e7e5df",
    "xtick.color": "#4b5158",
    "ytick.color": "#4b5158",
    "axes.labelcolor": "#4b5158",
    "text.parse_math": False,
}
"""`$` stands for money, not for mathematics."""


def draw(name: str, weekly: Weekly) -> str:
    """The plot of that name as an SVG document; empty where there is nothing to draw."""
    with _ONE_AT_A_TIME, mpl.rc_context(STYLE | {"svg.hashsalt": name}):
        return _PLOTS[name](weekly)


def inline(svg: str) -> str:
    """The document as an element to stand in HTML: without XML prolog and doctype."""
    return svg[svg.index("<svg") :]


def cost_by_day(weekly: Weekly) -> str:
    """Stacked columns: money of each day by where it went."""
    points = weekly.overview.cost_series
    if not points:
        return ""
    times = _steps(weekly.overview)
    scale = units.money_scale(point.amount_usd for point in points)
    names = list(dict.fromkeys(destination(point.category, point.allocation) for point in points))
    figure, axes = _figure(WIDE)
    bottom = [0.0] * len(times)
    for name in names:
        heights = _heights(points, name, times, scale)
        axes.bar(range(len(times)), heights, 0.7, bottom, label=name, color=palette.category(name))
        bottom = [low + height for low, height in zip(bottom, heights, strict=True)]
    axes.set_xticks(range(len(times)), [f"{time:%a %d %b}" for time in times])
    axes.set_ylabel(f"Cost, {scale.unit}")
    axes.legend(ncols=len(names), frameon=False, loc="lower left", bbox_to_anchor=(-0.01, 1))
    return _svg(figure, "Cost of each day by category")


def bridge(weekly: Weekly) -> str:
    """A waterfall: the week before, each cause up or down, the week."""
    found = weekly.bridge
    if not found.drivers or not found.before_usd:
        return ""
    floor = change.floor(found)
    scale = units.money_scale([found.before_usd, found.after_usd])
    figure, axes = _figure(WIDE)
    for at, step in enumerate(change.steps(found)):
        begin, end = (scale.apply(max(edge, floor)) or 0.0 for edge in (step.begin_usd, step.end_usd))
        axes.bar(at, end - begin, 0.62, begin, color=step.colour)
        axes.annotate(step.text, (at, max(begin, end)), (0, 3), textcoords="offset points", ha="center", fontsize=8.5)
    axes.set_xticks(range(len(found.causes) + 2), [step.what for step in change.steps(found)])
    axes.set_ylim(bottom=scale.apply(floor))
    axes.margins(y=0.15)
    axes.set_ylabel(f"Cost, {scale.unit}" + (f", from {units.usd(floor)} up" if floor else ""))
    return _svg(figure, "From the week before to this one, cause by cause")


def age_of_input(weekly: Weekly) -> str:
    """Columns: inferences by the age of their oldest input."""
    buckets = weekly.freshness.buckets
    if not any(bucket.inferences for bucket in buckets):
        return ""
    figure, axes = _figure(WIDE)
    heights = [bucket.inferences for bucket in buckets]
    drawn = axes.bar(effort.age_labels(buckets), heights, 0.75, color=palette.CATEGORIES["compute"])
    axes.bar_label(drawn, [units.count(bucket.inferences) if bucket.inferences else "" for bucket in buckets], padding=2)
    axes.set_ylabel("Inferences")
    return _svg(figure, "Inferences by age of their oldest input")


def busy_devices(weekly: Weekly) -> str:
    """Lines: how busy each device was, hour by hour; an hour without samples is a gap."""
    points = weekly.accelerators.series
    if not points:
        return ""
    end = max(point.time for point in points) + HOUR
    start = min(*(point.time for point in points), end - 24 * HOUR)
    devices = list(dict.fromkeys(point.device for point in points))[: len(palette.SERIES)]
    figure, axes = _figure(WIDE)
    for index, device in enumerate(devices):
        mine = sorted((point for point in points if point.device == device), key=lambda point: point.time)
        busy = [float("nan") if point.busy_ratio is None else 100 * point.busy_ratio for point in mine]
        hours = [_hours(point.time - start) for point in mine]
        axes.plot(hours, busy, "o-", ms=5, lw=1.4, color=palette.series(index), label=_label(effort.device_name(device)))
    axes.set_xlim(0, _hours(end - start))
    axes.set_ylim(0, 105)
    axes.set_ylabel("Busy, %")
    axes.xaxis.set_major_formatter(lambda value, _: f"{start + timedelta(hours=value):%a %H:%M}")
    axes.legend(ncols=min(4, len(devices)), frameon=False, loc="lower left", bbox_to_anchor=(-0.01, 1))
    return _svg(figure, "Busy share of each device by hour")


def longest_operations(weekly: Weekly) -> str:
    """Bars: own time of the longest scaffolding operations."""
    rows = weekly.hotspots.rows[:8]
    if not rows:
        return ""
    scale = units.duration_scale(row.self_ns for row in rows)
    figure, axes = _figure((WIDE[0], 0.6 + 0.3 * len(rows)))
    axes.grid(visible=False, axis="y")
    axes.grid(axis="x")
    names = [f"{_short(row.name)} ({row.scaffolding_class})" for row in rows]
    lengths = [scale.apply(row.self_ns) or 0.0 for row in rows]
    drawn = axes.barh(range(len(rows)), lengths, 0.66, color=palette.SCAFFOLDING)
    axes.bar_label(drawn, [units.duration(row.self_ns) for row in rows], padding=4)
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.margins(x=0.12)
    axes.set_xlabel(f"Own time, {scale.unit}")
    return _svg(figure, "Own time of the longest scaffolding operations")


_PLOTS: dict[str, Callable[[Weekly], str]] = {
    "cost": cost_by_day,
    "bridge": bridge,
    "age": age_of_input,
    "busy": busy_devices,
    "hotspots": longest_operations,
}


def _figure(inches: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=inches, layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Figure, title: str) -> str:
    out = io.StringIO()
    metadata: dict[str, Any] = {"Date": None, "Creator": None, "Title": title}
    figure.savefig(out, format="svg", transparent=True, metadata=metadata)
    return out.getvalue()


def _heights(points: Sequence[f.CostPoint], name: str, times: Sequence[datetime], scale: units.Scale) -> list[float]:
    heights = dict.fromkeys(times, 0.0)
    for point in points:
        if destination(point.category, point.allocation) == name:
            heights[point.time] += scale.apply(point.amount_usd) or 0.0
    return list(heights.values())


def _steps(overview: f.Overview) -> list[datetime]:
    """Every hour or day of the period, whether anything happened in it or not."""
    step = HOUR if overview.step == "hour" else timedelta(days=1)
    period = overview.period
    return [period.since + step * index for index in range((period.until - period.since) // step)]


def _hours(span: timedelta) -> float:
    return span / HOUR


def _short(name: str) -> str:
    return _label(name if len(name) <= 40 else name[:39] + "…")


def _label(name: str) -> str:
    """A name on one line that a font can draw; matplotlib leaves those out of the legend that start with an underscore."""
    flat = plain.visible(" ".join(name.split()))
    return f"\u200a{flat}" if flat.startswith("_") else flat
