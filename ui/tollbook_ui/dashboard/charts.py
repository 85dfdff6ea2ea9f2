"""Vega-Lite specifications of the dashboard's charts. Pure: figures in, specification out; floats only for drawing."""

from collections.abc import Iterable, Sequence
from typing import Any

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.look import effort, palette
from tollbook_ui.look.cost import destination

Spec = dict[str, Any]
LOG = {"tickCount": 4, "grid": False, "format": "~g"}
"""A logarithmic axis with a tick for each power of ten at most."""

HOUR_NS = 3_600 * units.NS_PER_SECOND


def cost_over_time(points: Sequence[f.CostPoint], step: str) -> Spec:
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
            "x": _time_axis(step),
            "y": _y("amount", f"Cost, {scale.unit}", stack="zero"),
            "color": _colour("what", names, [palette.category(name) for name in names]),
            "tooltip": [_tip("time", "When, UTC", "temporal"), _tip("what", "What"), _tip("exact", "Cost")],
        },
    }


def requests_over_time(points: Sequence[f.TrafficPoint], step: str) -> Spec:
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
            "x": _time_axis(step),
            "y": _y("requests", "Requests"),
            "tooltip": [
                _tip("time", "When, UTC", "temporal"),
                _tip("requests", "Requests", "quantitative"),
                _tip("errors", "With an error", "quantitative"),
                _tip("median", "Median duration"),
            ],
        },
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
            "age": max(point.age_ns, 1) / HOUR_NS,
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
                "title": "Age of the oldest input, h",
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


def busy_over_time(points: Sequence[f.AcceleratorPoint]) -> Spec:
    """Lines: how busy each device was, hour by hour. An hour without samples is a gap."""
    values = [
        {
            "time": point.time.isoformat(),
            "device": point.device,
            "busy": None if point.busy_ratio is None else point.busy_ratio,
            "hint": units.percent(point.busy_ratio),
        }
        for point in points
    ]
    return {
        "height": 240,
        "data": {"values": values},
        "mark": {"type": "line", "point": {"filled": True, "size": 40}, "interpolate": "linear"},
        "encoding": {
            "x": _time_axis("hour", band=False),
            "y": _y("busy", "Busy", axis={"format": "%"}) | {"scale": {"domain": [0, 1]}},
            "color": {"field": "device", "type": "nominal", "legend": {"orient": "top", "title": None}},
            "tooltip": [_tip("time", "Hour, UTC", "temporal"), _tip("device", "Device"), _tip("hint", "Busy")],
        },
    }


def _column_heights(points: Iterable[f.CostPoint]) -> list[Any]:
    heights: dict[Any, Any] = {}
    for point in points:
        heights[point.time] = heights.get(point.time, 0) + point.amount_usd
    return list(heights.values())


def _time_chart(values: list[dict[str, Any]]) -> Spec:
    return {"height": 210, "data": {"values": values}}


def _time_axis(step: str, band: bool = True) -> Spec:
    unit = "utcyearmonthdatehours" if step == "hour" else "utcyearmonthdate"
    axis = {"format": "%H:%M" if step == "hour" else "%d %b", "labelOverlap": True, "grid": False}
    kind = {"timeUnit": unit} if band else {}
    return {"field": "time", "type": "temporal", "title": None, "axis": axis, "scale": {"type": "utc"}} | kind


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
