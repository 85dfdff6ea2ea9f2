"""Cost: money by any keys with its unit costs, what caching came to, and what is out of the ordinary."""

import streamlit as st

from tollbook_ui import figures as f
from tollbook_ui.answers import HOURLY_UP_TO, Answers
from tollbook_ui.costs.figures import Cost
from tollbook_ui.dashboard import charts, draw
from tollbook_ui.look import spend
from tollbook_ui.look.blocks import Note

KEYS = (
    "workflow",
    "team",
    "model",
    "category",
    "service",
    "customer",
    "project",
    "feature",
    "environment",
    "version",
    "site",
    "account",
    "provider",
    "basis",
    "waste",
)
MOST_LINES = 7


def page(source: Answers, chosen: f.Scope) -> None:
    """Draws the page.

    Raises:
        StoreError: the store does not answer.
    """
    picked = st.pills("Group by", KEYS, selection_mode="multi", default=["workflow"], format_func=str.capitalize, key="cost_by")
    by = tuple(key for key in KEYS if key in (picked or ["workflow"]))[:4]
    found = source.costs.by(chosen, by)
    draw.blocks(spend.cost_cards(found))
    _over_time(source, chosen, found)
    note = "Rows add up to the total. Per request is all cost, idle included. A dash is what these keys do not divide."
    draw.heading(f"Cost by {', '.join(by)}", note)
    draw.long(spend.cost_table(found))
    _caches(source, chosen)
    _anomalies(source, chosen, by)


def _over_time(source: Answers, chosen: f.Scope, found: Cost) -> None:
    step = "hour" if found.period.until - found.period.since <= HOURLY_UP_TO else "day"
    first = found.by[0]
    series = source.costs.by(chosen, (first, step), limit=5_000)
    draw.heading(f"Each {step}, by {first}")
    spec = charts.groups_over_time(series.rows, spend.top(found.rows, MOST_LINES), step, found.period)
    draw.chart(spec, f"Cost of each {step} by {first}")


def _caches(source: Answers, chosen: f.Scope) -> None:
    found = source.costs.caches(chosen)
    used = any(row.read_tokens or row.written_tokens for row in found.rows)
    note = (
        "Saved: what tokens read would have cost as fresh input. Never read: what an hour writes beyond what is read by the next."
    )
    if not (used or found.avoided_calls):
        draw.section("Caching", Note("No cache was used", spend.NO_CACHE))
        return
    draw.section("Caching", spend.cache_cards(found), spend.cache_table(found) if used else None, note=note)


def _anomalies(source: Answers, chosen: f.Scope, by: tuple[str, ...]) -> None:
    found = source.costs.anomalies(chosen, by[:3])
    note = "Hours and days at which a group cost far more than it usually does at such a time."
    draw.section("Out of the ordinary", spend.anomaly_table(found) if found.rows else spend.quiet(found), note=note)
