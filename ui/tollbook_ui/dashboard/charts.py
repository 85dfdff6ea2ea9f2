"""Vega-Lite specifications of the dashboard's charts. Pure: figures in, specification out; floats only for drawing."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.costs.figures import Bridge, CostRow
from tollbook_ui.look import change, effort, palette
from tollbook_ui.look.cost import destination

Spec = dict[str, Any]
BUSY = {
    "field": "busy",
    "type": "quantitative",
    "scale": {"domain": [0, 1], "range": ["#8fb8ab", "#0b6e55", "#073b2e"]},
    "legend": None,
}
"""Idle to busy; white text is legible on all of it."""

LOG = {"tickCount": 4, "grid": False, "format": "~g"}
"""A logarithmic axis with a tick for each power of ten at most."""

HOUR = timedelta(hours=1)
DAY_NS = 86_400 * units.NS_PER_SECOND


def cost_over_time(points: Sequence[f.CostPoint], step: str, period: f.Period) -> Spec:
    """Stacked columns: money of each hour or day by where it went."""
    scale = units.money_scale(_column_heights(points))
    values: list[dict[str, Any]] = [
        {
            "time": point.time.isoformat(),
            "what": destination(point.category, point.allocation),
            "amount": scale.apply(point.amount_usd),
            "exact": units.usd_exact(point.amount_usd),
        }
        for point in points
    ]
    names = list(dict.fromkeys(row["what"] for row in values))
    return _time_chart(values) | {
        "mark": {"type": "bar", "width": {"band": 0.8}},
        "encoding": {
            "x": _time_axis(step, period),
            "y": _y("amount", f"Cost, {scale.unit}", stack="zero"),
            "color": _colour("what", names, [palette.category(name) for name in names]),
            "tooltip": [_tip("time", "When, UTC", "temporal"), _tip("what", "What"), _tip("exact", "Cost")],
        },
    }


def requests_over_time(points: Sequence[f.TrafficPoint], step: str, period: f.Period) -> Spec:
    """Columns: requests of each hour or day."""
    values = [
        {
            "time": point.time.isoformat(),
            "requests": point.requests,
            "errors": point.errors,
            "median": units.duration(point.duration_p50_ns),
        }
        for point in points
    ]
    return _time_chart(values) | {
        "mark": {"type": "bar", "color": palette.KINDS["request"], "width": {"band": 0.8}},
        "encoding": {
            "x": _time_axis(step, period),
            "y": _y("requests", "Requests"),
            "tooltip": [
                _tip("time", "When, UTC", "temporal"),
                _tip("requests", "Requests", "quantitative"),
                _tip("errors", "With an error", "quantitative"),
                _tip("median", "Median duration"),
            ],
        },
    }


def groups_over_time(rows: Sequence[CostRow], named: Sequence[str], step: str, period: f.Period) -> Spec:
    """Stacked columns: money of each hour or day by group; those that are not among `named` are one."""
    sums: dict[tuple[str, str], Decimal] = {}
    for row in rows:
        name, time = row.keys
        at = (time, (name or "none named") if name in named else "all others")
        sums[at] = sums.get(at, Decimal(0)) + (row.amount_usd or 0)
    heights: dict[str, Decimal] = {}
    for (time, _), amount in sums.items():
        heights[time] = heights.get(time, Decimal(0)) + amount
    scale = units.money_scale(heights.values())
    values: list[dict[str, Any]] = [
        {"time": time, "what": name, "amount": scale.apply(amount), "exact": units.usd_exact(amount)}
        for (time, name), amount in sums.items()
        if not time.startswith("and ")
    ]
    names = [*((name or "none named") for name in named), "all others"]
    present = [name for name in names if any(value["what"] == name for value in values)]
    colour = _colour("what", present, [palette.series(at) for at in range(len(present))]) | {
        "legend": {"orient": "top", "title": None, "labelLimit": 180, "columns": 6}
    }
    return _time_chart(values) | {
        "height": 240,
        "mark": {"type": "bar", "width": {"band": 0.8}},
        "encoding": {
            "x": _time_axis(step, period),
            "y": _y("amount", f"Cost, {scale.unit}", stack="zero"),
            "color": colour,
            "tooltip": [_tip("time", "When, UTC", "temporal"), _tip("what", "What"), _tip("exact", "Cost")],
        },
    }


def bridge(found: Bridge) -> Spec:
    """A waterfall: what it cost before, each cause up or down, what it costs after."""
    scale, floor = units.money_scale([found.before_usd, found.after_usd]), change.floor(found)
    values = [
        {
            "what": step.what,
            "from": scale.apply(max(step.begin_usd, floor)),
            "to": scale.apply(step.end_usd),
            "top": scale.apply(max(step.begin_usd, step.end_usd)),
            "colour": step.colour,
            "text": step.text,
            "exact": step.exact,
        }
        for step in change.steps(found)
    ]
    x = {
        "field": "what",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"labelAngle": 0, "ticks": False, "labelFontSize": 13, "labelPadding": 8},
    }
    title = f"Cost, {scale.unit}" + (f", from {units.usd(floor)} up" if floor else "")
    y = _y("from", title) | {"scale": {"zero": not floor, "nice": True}}
    tips = [_tip("what", "Cause"), _tip("text", "Change"), _tip("exact", "To the last digit")]
    label = {"x": x, "y": {"field": "top", "type": "quantitative"}, "text": {"field": "text"}}
    colour = {"field": "colour", "type": "nominal", "scale": None, "legend": None}
    bar = {"type": "bar", "width": {"band": 0.62}, "cornerRadius": 2}
    text = {"type": "text", "baseline": "bottom", "dy": -5, "fontWeight": 600, "fontSize": 13, "color": palette.INK}
    return {
        "height": 300,
        "data": {"values": values},
        "layer": [
            {"mark": bar, "encoding": {"x": x, "y": y, "y2": {"field": "to"}, "color": colour, "tooltip": tips}},
            {"mark": text, "encoding": label},
        ],
    }


def age_histogram(buckets: Sequence[f.AgeBucket]) -> Spec:
    """Columns: inferences by the age of their oldest input."""
    values = [
        {"age": label, "inferences": bucket.inferences} for label, bucket in zip(effort.age_labels(buckets), buckets, strict=True)
    ]
    return {
        "height": 240,
        "data": {"values": values},
        "mark": {"type": "bar", "color": palette.CATEGORIES["compute"], "cornerRadiusEnd": 2},
        "encoding": {
            "x": {"field": "age", "type": "nominal", "sort": None, "title": "Age of the oldest input", "axis": {"labelAngle": 0}},
            "y": _y("inferences", "Inferences"),
            "tooltip": [_tip("age", "Age"), _tip("inferences", "Inferences", "quantitative")],
        },
    }


def age_against_duration(points: Sequence[f.AgePoint]) -> Spec:
    """Dots: does older data come from slower requests? Both axes logarithmic."""
    values = [
        {
            "age": max(point.age_ns, 1) / DAY_NS,
            "ms": max(point.duration_ns, 1) / 1e6,
            "workflow": point.workflow or "no workflow named",
            "hint": units.age(point.age_ns),
            "took": units.duration(point.duration_ns),
        }
        for point in points
    ]
    return {
        "height": 240,
        "data": {"values": values},
        "mark": {"type": "circle", "size": 30, "opacity": 0.55},
        "encoding": {
            "x": {
                "field": "age",
                "type": "quantitative",
                "scale": {"type": "log"},
                "axis": LOG,
                "title": "Age of the oldest input, d",
            },
            "y": {
                "field": "ms",
                "type": "quantitative",
                "scale": {"type": "log"},
                "axis": LOG,
                "title": "Duration of inference, ms",
            },
            "color": {"field": "workflow", "type": "nominal", "legend": {"orient": "top", "title": None}},
            "tooltip": [_tip("workflow", "Workflow"), _tip("hint", "Age"), _tip("took", "Duration")],
        },
    }


def busy_over_time(points: Sequence[f.AcceleratorPoint], period: f.Period) -> Spec:
    """A row for each device, a cell for each hour: the darker, the busier. An hour without samples has no cell."""
    values = [
        {
            "time": point.time.isoformat(),
            "device": effort.device_name(point.device),
            "busy": point.busy_ratio,
            "hint": units.percent(point.busy_ratio),
        }
        for point in points
        if point.busy_ratio is not None
    ]
    hour = _time_axis("hour", _around(points, period))
    device = {"field": "device", "type": "nominal", "title": None, "axis": {"labelLimit": 220, "domain": False, "ticks": False}}
    label = {"x": hour | {"bandPosition": 0.5}, "text": {"field": "hint"}, "color": {"value": "#ffffff"}}
    tips = [_tip("time", "Hour, UTC", "temporal"), _tip("device", "Device"), _tip("hint", "Busy")]
    return {
        "height": {"step": 44},
        "data": {"values": values},
        "encoding": {"x": hour, "y": device, "tooltip": tips},
        "layer": [
            {"mark": {"type": "rect", "cornerRadius": 3}, "encoding": {"color": BUSY}},
            {"mark": {"type": "text", "fontWeight": 600}, "encoding": label},
        ],
    }


def _around(points: Sequence[f.AcceleratorPoint], period: f.Period) -> f.Period:
    """The part of the period that has points, at least twelve hours of it, so that a column stays a column."""
    if not points:
        return period
    last = max(point.time for point in points) + HOUR
    return f.Period(min(*(point.time for point in points), last - 12 * HOUR), last)


def _column_heights(points: Iterable[f.CostPoint]) -> list[Any]:
    heights: dict[Any, Any] = {}
    for point in points:
        heights[point.time] = heights.get(point.time, 0) + point.amount_usd
    return list(heights.values())


def _time_chart(values: list[dict[str, Any]]) -> Spec:
    return {"height": 210, "data": {"values": values}}


def _time_axis(step: str, period: f.Period) -> Spec:
    hourly = step == "hour"
    ends = (period.since, period.until) if hourly else (_midnight(period.since), _midnight(period.until - HOUR) + 24 * HOUR)
    return {
        "field": "time",
        "type": "temporal",
        "timeUnit": "utcyearmonthdatehours" if hourly else "utcyearmonthdate",
        "title": None,
        "axis": {
            "format": "%H:%M" if hourly else "%d %b",
            "tickCount": 8,
            "labelOverlap": True,
            "grid": False,
        },
        "scale": {"type": "utc", "domain": [_moment(end) for end in ends]},
    }


def _midnight(time: datetime) -> datetime:
    return time.replace(hour=0, minute=0, second=0, microsecond=0)


def _moment(time: datetime) -> Spec:
    return {"year": time.year, "month": time.month, "date": time.day, "hours": time.hour, "utc": True}


def _y(field: str, title: str, stack: str | None = None, axis: Spec | None = None) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "title": title,
        "stack": stack,
        "axis": {"tickCount": 4, "domain": False, "ticks": False} | (axis or {}),
    }


def _colour(field: str, names: list[str], colours: list[str]) -> Spec:
    return {
        "field": field,
        "type": "nominal",
        "scale": {"domain": names, "range": colours},
        "legend": None,
    }


def _tip(field: str, title: str, kind: str = "nominal") -> Spec:
    tip = {"field": field, "title": title, "type": kind}
    return tip | {"format": "%Y-%m-%d %H:%M", "timeUnit": "utcyearmonthdatehoursminutes"} if kind == "temporal" else tip
