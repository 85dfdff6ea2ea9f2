"""The trace waterfall: one row for each span, drawn in the browser; a click names the span."""

from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui import units
from tollbook_ui.look import palette
from tollbook_ui.look.blocks import Keys

MAX_ROWS = 500
"""More rows than anybody scrolls through; the rest is told, not drawn."""


KEYS = Keys(
    (
        ("request", palette.KINDS["request"]),
        ("inference", palette.KINDS["inference"]),
        ("handoff", palette.KINDS["handoff"]),
        ("other", palette.KINDS[""]),
    )
)


def rows(spans: Sequence[f.Span]) -> list[dict[str, Any]]:
    """What the browser needs of each span; times in ms from the start of the request."""
    return [
        {
            "id": span.span_id,
            "name": span.name,
            "service": span.service_name,
            "depth": span.depth,
            "start": span.start_offset_ns / 1e6,
            "length": span.duration_ns / 1e6,
            "duration": _took(span),
            "cost": "" if not span.cost_usd else units.usd(span.cost_usd, digits=3),
            "colour": palette.KINDS.get(span.tollbook_kind, palette.KINDS[""]),
            "error": span.status == "error",
            "hint": hint(span),
        }
        for span in spans[:MAX_ROWS]
    ]


def _took(span: f.Span) -> str:
    """A call of a model is never over at once: nobody measured it."""
    return units.duration(None if span.model and not span.duration_ns else span.duration_ns)


def hint(span: f.Span) -> str:
    """What hovering tells about a span."""
    facts = [
        f"{span.name} ({span.service_name})",
        f"{_took(span)}, own {units.duration(span.self_ns)}",
        f"own cost {units.usd_exact(span.cost_usd)}",
    ]
    facts += [f"class {span.scaffolding_class}"] if span.scaffolding_class else []
    facts += [f"model {span.model}"] if span.model else []
    facts += [f"moved {units.size(span.bytes)}"] if span.bytes else []
    facts += [f"error {span.status_message}"] if span.status == "error" else []
    return "\n".join(facts)


def show(spans: Sequence[f.Span], duration_ns: int, key: str) -> str | None:
    """Draws the spans and returns the id of the one that was clicked."""
    data = {"rows": rows(spans), "total": duration_ns / 1e6}
    result = _component()(key=key, data=data, on_span_change=_nothing)
    return result.span if isinstance(result.span, str) else None


@cache
def _component() -> Any:
    folder = resources.files("tollbook_ui.dashboard")
    return st.components.v2.component(
        "tollbook_waterfall",
        html='<div id="waterfall"></div>',
        css=(folder / "waterfall.css").read_text(encoding="utf-8"),
        js=(folder / "waterfall.js").read_text(encoding="utf-8"),
    )


def _nothing() -> None:
    """Streamlit wants a callback for each value a component can set."""
